// AvgPool3D: PyTorch's average pooling.
#include "common/pooling.hpp"

namespace squall {

class AvgPool3D final : public PoolLayer<AvgPool3D, AvgPoolOptions<3>> {
 public:
  static constexpr std::string_view kType = "AvgPool3D";
  static constexpr std::string_view kDoc =
      "The mean of the pixels in a sliding window, for each channel of volumes (depth, height, width, "
      "channels); padding is zeros that count unless count_include_pad is false.";
};

void register_avg_pool3d(Catalog& catalog) { catalog.of<Layer>().add<AvgPool3D>(); }

}  // namespace squall
