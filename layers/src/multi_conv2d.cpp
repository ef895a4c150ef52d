// MultiConv2D: the convolution for several tasks at once, without masks.
#include "common/convolution_layer.hpp"

namespace squall {

class MultiConv2D final : public ConvolutionLayer<MultiConv2D, ForTasks<ConvolutionOptions<2>>> {
 public:
  static constexpr std::string_view kType = "MultiConv2D";
  static constexpr std::string_view kDoc =
      "The convolution of each task's images with its slice of W (tasks, filters, kernel height, width, "
      "channels / groups). Batch sizes and extents may differ, channels may not.";
  static constexpr bool kFixed = false;
};

void register_multi_conv2d(Catalog& catalog) { catalog.of<Layer>().add<MultiConv2D>(); }

}  // namespace squall
