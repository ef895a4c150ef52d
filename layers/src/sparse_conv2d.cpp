// SparseConv2D: a convolution with given weights, to be stored sparse.
#include "common/convolution_layer.hpp"

namespace squall {

class SparseConv2D final : public ConvolutionLayer<SparseConv2D, ConvolutionOptions<2>> {
 public:
  static constexpr std::string_view kType = "SparseConv2D";
  static constexpr std::string_view kDoc =
      "Cross-correlation of images (height, width, channels) with given W (filters, kernel height, width, "
      "channels / groups), which is never trained and is stored without its zeros when the model is "
      "converted to sparse form.";
  static constexpr bool kFixed = true;
};

void register_sparse_conv2d(Catalog& catalog) { catalog.of<Layer>().add<SparseConv2D>(); }

}  // namespace squall
