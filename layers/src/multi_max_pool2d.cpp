// MultiMaxPool2D: BeyondML's max-pooling for several tasks at once.
#include "common/multi_pool.hpp"

namespace squall {

class MultiMaxPool2D final : public MultiMaxPool<MultiMaxPool2D, 2> {
 public:
  static constexpr std::string_view kType = "MultiMaxPool2D";
  static constexpr std::string_view kDoc =
      "The largest pixel in a sliding window, for each channel of each task's images (height, width, "
      "channels); padding never wins.";
};

void register_multi_max_pool2d(Catalog& catalog) { catalog.of<Layer>().add<MultiMaxPool2D>(); }

}  // namespace squall
