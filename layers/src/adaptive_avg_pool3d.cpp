// AdaptiveAvgPool3D: windows that divide an image into as many outputs as wanted.
#include "common/pooling.hpp"

namespace squall {

class AdaptiveAvgPool3D final : public AdaptivePoolLayer<AdaptiveAvgPool3D, 3> {
 public:
  static constexpr std::string_view kType = "AdaptiveAvgPool3D";
  static constexpr std::string_view kDoc =
      "The mean of the pixels floor(i in / out) .. ceil((i + 1) in / out) along each axis of volumes "
      "(depth, height, width, channels), for output i.";
  static constexpr PoolKind kKind = PoolKind::Avg;
};

void register_adaptive_avg_pool3d(Catalog& catalog) { catalog.of<Layer>().add<AdaptiveAvgPool3D>(); }

}  // namespace squall
