// MaxPool2D: PyTorch's max-pooling.
#include "common/pooling.hpp"

namespace squall {

class MaxPool2D final : public PoolLayer<MaxPool2D, MaxPoolOptions<2>> {
 public:
  static constexpr std::string_view kType = "MaxPool2D";
  static constexpr std::string_view kDoc =
      "The largest pixel in a sliding window, for each channel of images (height, width, channels); padding "
      "never wins.";
};

void register_max_pool2d(Catalog& catalog) { catalog.of<Layer>().add<MaxPool2D>(); }

}  // namespace squall
