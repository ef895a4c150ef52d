// ContSparseConv2d: NeuroSurgeon's layer of this name.
#include "common/masked_layers.hpp"

namespace squall {

class ContSparseConv2d final : public MaskedLayer<ContSparseConv2d, ConvPart<2>, ContinuousSparsification> {
 public:
  static constexpr std::string_view kType = "ContSparseConv2d";
  static constexpr std::string_view kDoc =
      "Convolution of images under a mask of continuous sparsification; options and masks as of "
      "ContinuousSparsification.";
};

void register_cont_sparse_conv2d(Catalog& catalog) { catalog.of<Layer>().add<ContSparseConv2d>(); }

}  // namespace squall
