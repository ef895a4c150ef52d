// BatchNorm3D: batch normalisation of volumes (depth, height, width, channels) with PyTorch's running statistics.
#include "common/batch_norm_layer.hpp"

namespace squall {

class BatchNorm3D final : public BatchNormLayer<BatchNorm3D, 3> {
 public:
  static constexpr std::string_view kType = "BatchNorm3D";
  static constexpr std::string_view kDoc =
      "Normalises each channel of volumes (depth, height, width, channels) over time, batch and pixels: by mean and "
      "biased variance of the batch in training, by running ones otherwise.";
};

void register_batch_norm3d(Catalog& catalog) { catalog.of<Layer>().add<BatchNorm3D>(); }

}  // namespace squall
