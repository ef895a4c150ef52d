// Convolution2D: brainstorm's convolution.
#include "common/convolution.hpp"
#include "common/declarations.hpp"
#include "squall/core/catalog.hpp"

namespace squall {

struct Convolution2DOptions {
  Index num_filters = 0;
  std::optional<Pair> kernel_size;
  Pair stride;
  Padding padding;
  Activation activation = Activation::Tanh;
  static constexpr auto fields = std::tuple{
      field("num_filters", &Convolution2DOptions::num_filters, "number of filters"),
      field("kernel_size", &Convolution2DOptions::kernel_size, "height and width of a filter: [5, 5] or 5"),
      field("stride", &Convolution2DOptions::stride, "vertical and horizontal steps"),
      field("padding", &Convolution2DOptions::padding,
            "rows and columns of zeros on each side: a number, [vertical, horizontal], [[top, bottom], [left, right]], "
            "'same' or 'valid'"),
      field("activation", &Convolution2DOptions::activation,
            "rel, tanh, sigmoid, el or linear; tanh where it is left out, as in brainstorm's files")};
};

class Convolution2D final : public LayerOf<Convolution2D, Convolution2DOptions> {
 public:
  static constexpr std::string_view kType = "Convolution2D";
  static constexpr std::string_view kDoc =
      "Cross-correlation of images (height, width, channels) with W (num_filters, kernel height, width, channels), "
      "plus "
      "bias (num_filters), then the activation.";

  void declare(Declare& d) override {
    if (options.num_filters < 1)
      d.fail("option 'num_filters' should be a positive whole number, not ", options.num_filters);
    if (!options.kernel_size) d.fail("option 'kernel_size' is missing: height and width of a filter, like [3, 3]");
    x_ = d.input("default", "...");
    window_ = sliding_window(d, "default", x_, *options.kernel_size, options.stride, options.padding);
    y_ = d.output("default", d.like(x_, window_features(window_, options.num_filters)));
    W_ = d.parameter("W", filter_shape(window_, options.num_filters));
    bias_ = d.parameter("bias", Shape{options.num_filters}, {.bias = true});
    plan_ = d.plan<ConvPlan>();
    d.backward_reads(x_, y_);
  }
  void prepare(Prepare& p) const override {
    p.keep(plan_, p.handler().conv().plan(
                      conv_spec(p.rows(x_), window_, options.num_filters, options.activation, true, p.packed(W_))));
  }
  void forward(Forward& f) const override { run_forward(f[plan_], f[x_], f.weight(W_), f[bias_], f[y_]); }
  void backward(Backward& b) const override {
    run_backward(b[plan_], b[x_], b.weight(W_), b[y_], b.delta(y_), b.delta(x_), b.gradient(W_), b.gradient(bias_));
  }

 private:
  In x_;
  Out y_;
  Param W_, bias_;
  PlanSlot<ConvPlan> plan_;
  Window window_;
};

void register_convolution2d(Catalog& catalog) { catalog.of<Layer>().add<Convolution2D>(); }

}  // namespace squall
