// MaskedConv3D: BeyondML's convolution, whose weights sparsification may mask.
#include "common/convolution_layer.hpp"

namespace squall {

class MaskedConv3D final : public ConvolutionLayer<MaskedConv3D, Maskable<ConvolutionOptions<3>>> {
 public:
  static constexpr std::string_view kType = "MaskedConv3D";
  static constexpr std::string_view kDoc =
      "Cross-correlation of volumes (depth, height, width, channels) with W (filters, kernel depth, height, "
      "width, channels / groups), which can be masked.";
  static constexpr bool kFixed = false;
};

void register_masked_conv3d(Catalog& catalog) { catalog.of<Layer>().add<MaskedConv3D>(); }

}  // namespace squall
