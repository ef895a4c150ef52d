// InstanceNorm1D: normalisation of each channel of sequences (length, channels).
#include "common/instance_norm_layer.hpp"

namespace squall {

class InstanceNorm1D final : public InstanceNormLayer<InstanceNorm1D, 1> {
 public:
  static constexpr std::string_view kType = "InstanceNorm1D";
  static constexpr std::string_view kDoc =
      "Normalises each channel of sequences (length, channels) of each example (and time step) over its pixels, by "
      "mean and biased variance.";
};

void register_instance_norm1d(Catalog& catalog) { catalog.of<Layer>().add<InstanceNorm1D>(); }

}  // namespace squall
