// InstanceNorm3D: normalisation of each channel of volumes (depth, height, width, channels).
#include "common/instance_norm_layer.hpp"

namespace squall {

class InstanceNorm3D final : public InstanceNormLayer<InstanceNorm3D, 3> {
 public:
  static constexpr std::string_view kType = "InstanceNorm3D";
  static constexpr std::string_view kDoc =
      "Normalises each channel of volumes (depth, height, width, channels) of each example (and time step) over its "
      "pixels, by mean and biased variance.";
};

void register_instance_norm3d(Catalog& catalog) { catalog.of<Layer>().add<InstanceNorm3D>(); }

}  // namespace squall
