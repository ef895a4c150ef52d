// MagPruneGPTConv1D: NeuroSurgeon's layer of this name.
#include "common/masked_layers.hpp"

namespace squall {

class MagPruneGPTConv1D final : public MaskedLayer<MagPruneGPTConv1D, GptConv1DPart, MagnitudePruning> {
 public:
  static constexpr std::string_view kType = "MagPruneGPTConv1D";
  static constexpr std::string_view kDoc =
      "Dense layer of a GPT without the weights of smallest magnitude; options and masks as of MagnitudePruning.";
};

void register_mag_prune_gpt_conv1d(Catalog& catalog) { catalog.of<Layer>().add<MagPruneGPTConv1D>(); }

}  // namespace squall
