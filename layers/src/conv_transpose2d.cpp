// ConvTranspose2D: transposed convolution.
#include "common/transposed.hpp"

namespace squall {

class ConvTranspose2D final : public ConvTranspose<ConvTranspose2D, 2> {
 public:
  static constexpr std::string_view kType = "ConvTranspose2D";
  static constexpr std::string_view kDoc =
      "Each pixel of images (height, width, channels) spreads W (channels, kernel..., filters / groups) "
      "over the output, which is stride times as large; plus bias, then the activation.";
};

void register_conv_transpose2d(Catalog& catalog) { catalog.of<Layer>().add<ConvTranspose2D>(); }

}  // namespace squall
