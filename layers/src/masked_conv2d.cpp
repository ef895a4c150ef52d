// MaskedConv2D: BeyondML's convolution, whose weights sparsification may mask.
#include "common/convolution.hpp"
#include "common/declarations.hpp"
#include "squall/core/catalog.hpp"

namespace squall {

struct MaskedConv2DOptions {
  Index filters = 0;
  Pair kernel_size{3, 3};
  Padding padding = kSamePadding;
  Pair strides;
  Activation activation = Activation::Linear;
  bool use_bias = true;
  bool sparsify = true;
  static constexpr auto fields =
      std::tuple{field("filters", &MaskedConv2DOptions::filters, "number of filters"),
                 field("kernel_size", &MaskedConv2DOptions::kernel_size, "height and width of a filter: 3 or [3, 5]"),
                 field("padding", &MaskedConv2DOptions::padding,
                       "'same', 'valid', a number, [vertical, horizontal] or [[top, bottom], [left, right]]"),
                 field("strides", &MaskedConv2DOptions::strides, "vertical and horizontal steps"),
                 field("activation", &MaskedConv2DOptions::activation, "linear, rel, tanh, sigmoid, el or softmax"),
                 field("use_bias", &MaskedConv2DOptions::use_bias, "whether a bias is added"),
                 field("sparsify", &MaskedConv2DOptions::sparsify, "false: sparsification leaves these weights alone")};
};

class MaskedConv2D final : public LayerOf<MaskedConv2D, MaskedConv2DOptions> {
 public:
  static constexpr std::string_view kType = "MaskedConv2D";
  static constexpr std::string_view kDoc =
      "Cross-correlation of images (height, width, channels) with W (filters, kernel height, width, channels), which "
      "can "
      "be masked.";

  void declare(Declare& d) override {
    if (options.filters < 1) d.fail("option 'filters' should be a positive whole number, not ", options.filters);
    x_ = d.input("default", "...");
    window_ = sliding_window(d, "default", x_, options.kernel_size, options.strides, options.padding);
    y_ = d.output("default", d.like(x_, window_features(window_, options.filters)));
    W_ = d.parameter("W", filter_shape(window_, options.filters), {.maskable = options.sparsify});
    if (options.use_bias) bias_ = d.parameter("bias", Shape{options.filters}, {.bias = true});
    plan_ = d.plan<ConvPlan>();
    d.backward_reads(x_, y_);
  }
  void prepare(Prepare& p) const override {
    p.keep(plan_, p.handler().conv().plan(conv_spec(p.rows(x_), window_, options.filters, options.activation,
                                                    options.use_bias, p.packed(W_))));
  }
  void forward(Forward& f) const override {
    run_forward(f[plan_], f[x_], f.weight(W_), options.use_bias ? f[bias_] : ConstTensor(), f[y_]);
  }
  void backward(Backward& b) const override {
    run_backward(b[plan_], b[x_], b.weight(W_), b[y_], b.delta(y_), b.delta(x_), b.gradient(W_),
                 options.use_bias ? b.gradient(bias_) : Sink());
  }

 private:
  In x_;
  Out y_;
  Param W_, bias_;
  PlanSlot<ConvPlan> plan_;
  Window window_;
};

void register_masked_conv2d(Catalog& catalog) { catalog.of<Layer>().add<MaskedConv2D>(); }

}  // namespace squall
