// InstanceNorm2D: normalisation of each channel of images (height, width, channels).
#include "common/instance_norm_layer.hpp"

namespace squall {

class InstanceNorm2D final : public InstanceNormLayer<InstanceNorm2D, 2> {
 public:
  static constexpr std::string_view kType = "InstanceNorm2D";
  static constexpr std::string_view kDoc =
      "Normalises each channel of images (height, width, channels) of each example (and time step) over its pixels, by "
      "mean and biased variance.";
};

void register_instance_norm2d(Catalog& catalog) { catalog.of<Layer>().add<InstanceNorm2D>(); }

}  // namespace squall
