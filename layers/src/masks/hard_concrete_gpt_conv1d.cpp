// HardConcreteGPTConv1D: NeuroSurgeon's layer of this name.
#include "common/masked_layers.hpp"

namespace squall {

class HardConcreteGPTConv1D final : public MaskedLayer<HardConcreteGPTConv1D, GptConv1DPart, HardConcrete> {
 public:
  static constexpr std::string_view kType = "HardConcreteGPTConv1D";
  static constexpr std::string_view kDoc =
      "Dense layer of a GPT under a hard concrete mask; options and masks as of HardConcrete.";
};

void register_hard_concrete_gpt_conv1d(Catalog& catalog) { catalog.of<Layer>().add<HardConcreteGPTConv1D>(); }

}  // namespace squall
