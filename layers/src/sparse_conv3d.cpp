// SparseConv3D: a convolution with given weights, to be stored sparse.
#include "common/convolution_layer.hpp"

namespace squall {

class SparseConv3D final : public ConvolutionLayer<SparseConv3D, ConvolutionOptions<3>> {
 public:
  static constexpr std::string_view kType = "SparseConv3D";
  static constexpr std::string_view kDoc =
      "Cross-correlation of volumes (depth, height, width, channels) with given W (filters, kernel depth, "
      "height, width, channels / groups), which is never trained and is stored without its zeros when the "
      "model is converted to sparse form.";
  static constexpr bool kFixed = true;
};

void register_sparse_conv3d(Catalog& catalog) { catalog.of<Layer>().add<SparseConv3D>(); }

}  // namespace squall
