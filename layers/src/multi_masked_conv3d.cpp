// MultiMaskedConv3D: BeyondML's convolution for several tasks at once, one slice of the weights for each.
#include "common/convolution_layer.hpp"

namespace squall {

class MultiMaskedConv3D final : public ConvolutionLayer<MultiMaskedConv3D, ForTasks<Maskable<ConvolutionOptions<3>>>> {
 public:
  static constexpr std::string_view kType = "MultiMaskedConv3D";
  static constexpr std::string_view kDoc =
      "The convolution of each task's volumes with its slice of W (tasks, filters, kernel depth, height, "
      "width, channels / groups), which can be masked. Batch sizes and extents may differ, channels may "
      "not.";
  static constexpr bool kFixed = false;
};

void register_multi_masked_conv3d(Catalog& catalog) { catalog.of<Layer>().add<MultiMaskedConv3D>(); }

}  // namespace squall
