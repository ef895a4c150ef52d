// AdaptiveMaxPool1D: windows that divide an image into as many outputs as wanted.
#include "common/pooling.hpp"

namespace squall {

class AdaptiveMaxPool1D final : public AdaptivePoolLayer<AdaptiveMaxPool1D, 1> {
 public:
  static constexpr std::string_view kType = "AdaptiveMaxPool1D";
  static constexpr std::string_view kDoc =
      "The largest of the pixels floor(i in / out) .. ceil((i + 1) in / out) along each axis of sequences "
      "(length, channels), for output i.";
  static constexpr PoolKind kKind = PoolKind::Max;
};

void register_adaptive_max_pool1d(Catalog& catalog) { catalog.of<Layer>().add<AdaptiveMaxPool1D>(); }

}  // namespace squall
