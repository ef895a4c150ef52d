// Conv1D: convolution of sequences.
#include "common/convolution_layer.hpp"

namespace squall {

class Conv1D final : public ConvolutionLayer<Conv1D, ConvolutionOptions<1>> {
 public:
  static constexpr std::string_view kType = "Conv1D";
  static constexpr std::string_view kDoc =
      "Cross-correlation of sequences (length, channels) with W (filters, kernel length, channels / "
      "groups), plus bias, then the activation.";
  static constexpr bool kFixed = false;
};

void register_conv1d(Catalog& catalog) { catalog.of<Layer>().add<Conv1D>(); }

}  // namespace squall
