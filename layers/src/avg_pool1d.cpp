// AvgPool1D: PyTorch's average pooling.
#include "common/pooling.hpp"

namespace squall {

class AvgPool1D final : public PoolLayer<AvgPool1D, AvgPoolOptions<1>> {
 public:
  static constexpr std::string_view kType = "AvgPool1D";
  static constexpr std::string_view kDoc =
      "The mean of the pixels in a sliding window, for each channel of sequences (length, channels); "
      "padding is zeros that count unless count_include_pad is false.";
};

void register_avg_pool1d(Catalog& catalog) { catalog.of<Layer>().add<AvgPool1D>(); }

}  // namespace squall
