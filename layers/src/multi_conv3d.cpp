// MultiConv3D: the convolution for several tasks at once, without masks.
#include "common/convolution_layer.hpp"

namespace squall {

class MultiConv3D final : public ConvolutionLayer<MultiConv3D, ForTasks<ConvolutionOptions<3>>> {
 public:
  static constexpr std::string_view kType = "MultiConv3D";
  static constexpr std::string_view kDoc =
      "The convolution of each task's volumes with its slice of W (tasks, filters, kernel depth, height, "
      "width, channels / groups). Batch sizes and extents may differ, channels may not.";
  static constexpr bool kFixed = false;
};

void register_multi_conv3d(Catalog& catalog) { catalog.of<Layer>().add<MultiConv3D>(); }

}  // namespace squall
