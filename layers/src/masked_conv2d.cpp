// MaskedConv2D: BeyondML's convolution, whose weights sparsification may mask.
#include "common/convolution_layer.hpp"

namespace squall {

class MaskedConv2D final : public ConvolutionLayer<MaskedConv2D, Maskable<ConvolutionOptions<2>>> {
 public:
  static constexpr std::string_view kType = "MaskedConv2D";
  static constexpr std::string_view kDoc =
      "Cross-correlation of images (height, width, channels) with W (filters, kernel height, width, "
      "channels / groups), which can be masked.";
  static constexpr bool kFixed = false;
};

void register_masked_conv2d(Catalog& catalog) { catalog.of<Layer>().add<MaskedConv2D>(); }

}  // namespace squall
