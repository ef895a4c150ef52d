// Conv3D: convolution of volumes.
#include "common/convolution_layer.hpp"

namespace squall {

class Conv3D final : public ConvolutionLayer<Conv3D, ConvolutionOptions<3>> {
 public:
  static constexpr std::string_view kType = "Conv3D";
  static constexpr std::string_view kDoc =
      "Cross-correlation of volumes (depth, height, width, channels) with W (filters, kernel depth, height, "
      "width, channels / groups), plus bias, then the activation.";
  static constexpr bool kFixed = false;
};

void register_conv3d(Catalog& catalog) { catalog.of<Layer>().add<Conv3D>(); }

}  // namespace squall
