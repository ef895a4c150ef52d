// SparseMultiConv3D: convolutions of several tasks with given weights, to be stored sparse.
#include "common/convolution_layer.hpp"

namespace squall {

class SparseMultiConv3D final : public ConvolutionLayer<SparseMultiConv3D, ForTasks<ConvolutionOptions<3>>> {
 public:
  static constexpr std::string_view kType = "SparseMultiConv3D";
  static constexpr std::string_view kDoc =
      "The convolution of each task's volumes with its given slice of W (tasks, filters, kernel depth, "
      "height, width, channels / groups), which is never trained and is stored without its zeros when the "
      "model is converted to sparse form.";
  static constexpr bool kFixed = true;
};

void register_sparse_multi_conv3d(Catalog& catalog) { catalog.of<Layer>().add<SparseMultiConv3D>(); }

}  // namespace squall
