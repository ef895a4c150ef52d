// AdaptiveMaxPool2D: windows that divide an image into as many outputs as wanted.
#include "common/pooling.hpp"

namespace squall {

class AdaptiveMaxPool2D final : public AdaptivePoolLayer<AdaptiveMaxPool2D, 2> {
 public:
  static constexpr std::string_view kType = "AdaptiveMaxPool2D";
  static constexpr std::string_view kDoc =
      "The largest of the pixels floor(i in / out) .. ceil((i + 1) in / out) along each axis of images "
      "(height, width, channels), for output i.";
  static constexpr PoolKind kKind = PoolKind::Max;
};

void register_adaptive_max_pool2d(Catalog& catalog) { catalog.of<Layer>().add<AdaptiveMaxPool2D>(); }

}  // namespace squall
