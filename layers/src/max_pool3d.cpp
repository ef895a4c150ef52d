// MaxPool3D: PyTorch's max-pooling.
#include "common/pooling.hpp"

namespace squall {

class MaxPool3D final : public PoolLayer<MaxPool3D, MaxPoolOptions<3>> {
 public:
  static constexpr std::string_view kType = "MaxPool3D";
  static constexpr std::string_view kDoc =
      "The largest pixel in a sliding window, for each channel of volumes (depth, height, width, channels); "
      "padding never wins.";
};

void register_max_pool3d(Catalog& catalog) { catalog.of<Layer>().add<MaxPool3D>(); }

}  // namespace squall
