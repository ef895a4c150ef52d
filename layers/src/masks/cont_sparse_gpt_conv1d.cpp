// ContSparseGPTConv1D: NeuroSurgeon's layer of this name.
#include "common/masked_layers.hpp"

namespace squall {

class ContSparseGPTConv1D final : public MaskedLayer<ContSparseGPTConv1D, GptConv1DPart, ContinuousSparsification> {
 public:
  static constexpr std::string_view kType = "ContSparseGPTConv1D";
  static constexpr std::string_view kDoc =
      "Dense layer of a GPT under a mask of continuous sparsification; options and masks as of "
      "ContinuousSparsification.";
};

void register_cont_sparse_gpt_conv1d(Catalog& catalog) { catalog.of<Layer>().add<ContSparseGPTConv1D>(); }

}  // namespace squall
