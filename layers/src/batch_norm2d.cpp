// BatchNorm2D: batch normalisation of images (height, width, channels) with PyTorch's running statistics.
#include "common/batch_norm_layer.hpp"

namespace squall {

class BatchNorm2D final : public BatchNormLayer<BatchNorm2D, 2> {
 public:
  static constexpr std::string_view kType = "BatchNorm2D";
  static constexpr std::string_view kDoc =
      "Normalises each channel of images (height, width, channels) over time, batch and pixels: by mean and biased "
      "variance of the batch in training, by running ones otherwise.";
};

void register_batch_norm2d(Catalog& catalog) { catalog.of<Layer>().add<BatchNorm2D>(); }

}  // namespace squall
