// AdaptiveAvgPool2D: windows that divide an image into as many outputs as wanted.
#include "common/pooling.hpp"

namespace squall {

class AdaptiveAvgPool2D final : public AdaptivePoolLayer<AdaptiveAvgPool2D, 2> {
 public:
  static constexpr std::string_view kType = "AdaptiveAvgPool2D";
  static constexpr std::string_view kDoc =
      "The mean of the pixels floor(i in / out) .. ceil((i + 1) in / out) along each axis of images "
      "(height, width, channels), for output i.";
  static constexpr PoolKind kKind = PoolKind::Avg;
};

void register_adaptive_avg_pool2d(Catalog& catalog) { catalog.of<Layer>().add<AdaptiveAvgPool2D>(); }

}  // namespace squall
