// Conv2D: convolution of images.
#include "common/convolution_layer.hpp"

namespace squall {

class Conv2D final : public ConvolutionLayer<Conv2D, ConvolutionOptions<2>> {
 public:
  static constexpr std::string_view kType = "Conv2D";
  static constexpr std::string_view kDoc =
      "Cross-correlation of images (height, width, channels) with W (filters, kernel height, width, "
      "channels / groups), plus bias, then the activation.";
  static constexpr bool kFixed = false;
};

void register_conv2d(Catalog& catalog) { catalog.of<Layer>().add<Conv2D>(); }

}  // namespace squall
