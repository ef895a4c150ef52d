// MaxPool1D: PyTorch's max-pooling.
#include "common/pooling.hpp"

namespace squall {

class MaxPool1D final : public PoolLayer<MaxPool1D, MaxPoolOptions<1>> {
 public:
  static constexpr std::string_view kType = "MaxPool1D";
  static constexpr std::string_view kDoc =
      "The largest pixel in a sliding window, for each channel of sequences (length, channels); padding "
      "never wins.";
};

void register_max_pool1d(Catalog& catalog) { catalog.of<Layer>().add<MaxPool1D>(); }

}  // namespace squall
