// AdaptiveMaxPool3D: windows that divide an image into as many outputs as wanted.
#include "common/pooling.hpp"

namespace squall {

class AdaptiveMaxPool3D final : public AdaptivePoolLayer<AdaptiveMaxPool3D, 3> {
 public:
  static constexpr std::string_view kType = "AdaptiveMaxPool3D";
  static constexpr std::string_view kDoc =
      "The largest of the pixels floor(i in / out) .. ceil((i + 1) in / out) along each axis of volumes "
      "(depth, height, width, channels), for output i.";
  static constexpr PoolKind kKind = PoolKind::Max;
};

void register_adaptive_max_pool3d(Catalog& catalog) { catalog.of<Layer>().add<AdaptiveMaxPool3D>(); }

}  // namespace squall
