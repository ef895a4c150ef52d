// Convolution2D: brainstorm's convolution.
#include "common/convolution.hpp"
#include "common/declarations.hpp"
#include "squall/core/catalog.hpp"

namespace squall {

struct Convolution2DOptions {
  Index num_filters = 0;
  std::optional<PerAxis<2>> kernel_size;
  PerAxis<2> stride = PerAxis<2>::all(1);
  PaddingOf<2> padding;
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
    ConvPath::Wanted wanted;
    wanted.how = sliding(*options.kernel_size, options.stride, options.padding);
    wanted.filters = options.num_filters;
    wanted.activation = options.activation;
    path_.declare(d, "default", wanted);
    W_ = d.parameter("W", path_.filter_shape());
    bias_ = d.parameter("bias", Shape{options.num_filters}, {.bias = true});
  }
  void prepare(Prepare& p) const override { path_.prepare(p, p.packed(W_), false); }
  void forward(Forward& f) const override { path_.forward(f, f.weight(W_), f[bias_]); }
  void backward(Backward& b) const override { path_.backward(b, b.weight(W_), b.gradient(W_), b.gradient(bias_)); }

 private:
  ConvPath path_;
  Param W_, bias_;
};

void register_convolution2d(Catalog& catalog) { catalog.of<Layer>().add<Convolution2D>(); }

}  // namespace squall
