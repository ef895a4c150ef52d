// BatchNorm1D: batch normalisation of vectors (channels) and sequences (length, channels) with PyTorch's running
// statistics.
#include "common/batch_norm_layer.hpp"

namespace squall {

class BatchNorm1D final : public BatchNormLayer<BatchNorm1D, 1> {
 public:
  static constexpr std::string_view kType = "BatchNorm1D";
  static constexpr std::string_view kDoc =
      "Normalises each channel of vectors (channels) and sequences (length, channels) over time, batch and pixels: by "
      "mean and biased variance of the batch in training, by running ones otherwise.";
};

void register_batch_norm1d(Catalog& catalog) { catalog.of<Layer>().add<BatchNorm1D>(); }

}  // namespace squall
