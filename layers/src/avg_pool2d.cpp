// AvgPool2D: PyTorch's average pooling.
#include "common/pooling.hpp"

namespace squall {

class AvgPool2D final : public PoolLayer<AvgPool2D, AvgPoolOptions<2>> {
 public:
  static constexpr std::string_view kType = "AvgPool2D";
  static constexpr std::string_view kDoc =
      "The mean of the pixels in a sliding window, for each channel of images (height, width, channels); "
      "padding is zeros that count unless count_include_pad is false.";
};

void register_avg_pool2d(Catalog& catalog) { catalog.of<Layer>().add<AvgPool2D>(); }

}  // namespace squall
