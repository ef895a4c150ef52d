// ConvTranspose3D: transposed convolution.
#include "common/transposed.hpp"

namespace squall {

class ConvTranspose3D final : public ConvTranspose<ConvTranspose3D, 3> {
 public:
  static constexpr std::string_view kType = "ConvTranspose3D";
  static constexpr std::string_view kDoc =
      "Each pixel of volumes (depth, height, width, channels) spreads W (channels, kernel..., filters / "
      "groups) over the output, which is stride times as large; plus bias, then the activation.";
};

void register_conv_transpose3d(Catalog& catalog) { catalog.of<Layer>().add<ConvTranspose3D>(); }

}  // namespace squall
