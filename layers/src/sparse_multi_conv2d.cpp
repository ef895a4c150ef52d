// SparseMultiConv2D: convolutions of several tasks with given weights, to be stored sparse.
#include "common/convolution_layer.hpp"

namespace squall {

class SparseMultiConv2D final : public ConvolutionLayer<SparseMultiConv2D, ForTasks<ConvolutionOptions<2>>> {
 public:
  static constexpr std::string_view kType = "SparseMultiConv2D";
  static constexpr std::string_view kDoc =
      "The convolution of each task's images with its given slice of W (tasks, filters, kernel height, "
      "width, channels / groups), which is never trained and is stored without its zeros when the model is "
      "converted to sparse form.";
  static constexpr bool kFixed = true;
};

void register_sparse_multi_conv2d(Catalog& catalog) { catalog.of<Layer>().add<SparseMultiConv2D>(); }

}  // namespace squall
