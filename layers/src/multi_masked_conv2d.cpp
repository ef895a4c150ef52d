// MultiMaskedConv2D: BeyondML's convolution for several tasks at once, one slice of the weights for each.
#include "common/convolution_layer.hpp"

namespace squall {

class MultiMaskedConv2D final : public ConvolutionLayer<MultiMaskedConv2D, ForTasks<Maskable<ConvolutionOptions<2>>>> {
 public:
  static constexpr std::string_view kType = "MultiMaskedConv2D";
  static constexpr std::string_view kDoc =
      "The convolution of each task's images with its slice of W (tasks, filters, kernel height, width, "
      "channels / groups), which can be masked. Batch sizes and extents may differ, channels may not.";
  static constexpr bool kFixed = false;
};

void register_multi_masked_conv2d(Catalog& catalog) { catalog.of<Layer>().add<MultiMaskedConv2D>(); }

}  // namespace squall
