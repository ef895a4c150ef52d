// MultiMaxPool3D: BeyondML's max-pooling for several tasks at once.
#include "common/multi_pool.hpp"

namespace squall {

class MultiMaxPool3D final : public MultiMaxPool<MultiMaxPool3D, 3> {
 public:
  static constexpr std::string_view kType = "MultiMaxPool3D";
  static constexpr std::string_view kDoc =
      "The largest pixel in a sliding window, for each channel of each task's volumes (depth, height, "
      "width, channels); padding never wins.";
};

void register_multi_max_pool3d(Catalog& catalog) { catalog.of<Layer>().add<MultiMaxPool3D>(); }

}  // namespace squall
