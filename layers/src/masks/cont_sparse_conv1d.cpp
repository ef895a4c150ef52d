// ContSparseConv1d: NeuroSurgeon's layer of this name.
#include "common/masked_layers.hpp"

namespace squall {

class ContSparseConv1d final : public MaskedLayer<ContSparseConv1d, ConvPart<1>, ContinuousSparsification> {
 public:
  static constexpr std::string_view kType = "ContSparseConv1d";
  static constexpr std::string_view kDoc =
      "Convolution of sequences under a mask of continuous sparsification; options and masks as of "
      "ContinuousSparsification.";
};

void register_cont_sparse_conv1d(Catalog& catalog) { catalog.of<Layer>().add<ContSparseConv1d>(); }

}  // namespace squall
