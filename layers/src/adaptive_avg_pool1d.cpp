// AdaptiveAvgPool1D: windows that divide an image into as many outputs as wanted.
#include "common/pooling.hpp"

namespace squall {

class AdaptiveAvgPool1D final : public AdaptivePoolLayer<AdaptiveAvgPool1D, 1> {
 public:
  static constexpr std::string_view kType = "AdaptiveAvgPool1D";
  static constexpr std::string_view kDoc =
      "The mean of the pixels floor(i in / out) .. ceil((i + 1) in / out) along each axis of sequences "
      "(length, channels), for output i.";
  static constexpr PoolKind kKind = PoolKind::Avg;
};

void register_adaptive_avg_pool1d(Catalog& catalog) { catalog.of<Layer>().add<AdaptiveAvgPool1D>(); }

}  // namespace squall
