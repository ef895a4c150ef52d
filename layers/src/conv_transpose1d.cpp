// ConvTranspose1D: transposed convolution.
#include "common/transposed.hpp"

namespace squall {

class ConvTranspose1D final : public ConvTranspose<ConvTranspose1D, 1> {
 public:
  static constexpr std::string_view kType = "ConvTranspose1D";
  static constexpr std::string_view kDoc =
      "Each pixel of sequences (length, channels) spreads W (channels, kernel..., filters / groups) over "
      "the output, which is stride times as large; plus bias, then the activation.";
};

void register_conv_transpose1d(Catalog& catalog) { catalog.of<Layer>().add<ConvTranspose1D>(); }

}  // namespace squall
