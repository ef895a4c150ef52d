// ContSparseLinear: NeuroSurgeon's layer of this name.
#include "common/masked_layers.hpp"

namespace squall {

class ContSparseLinear final : public MaskedLayer<ContSparseLinear, LinearPart, ContinuousSparsification> {
 public:
  static constexpr std::string_view kType = "ContSparseLinear";
  static constexpr std::string_view kDoc =
      "Dense layer under a mask of continuous sparsification; options and masks as of ContinuousSparsification.";
};

void register_cont_sparse_linear(Catalog& catalog) { catalog.of<Layer>().add<ContSparseLinear>(); }

}  // namespace squall
