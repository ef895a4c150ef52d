// MagPruneConv1d: NeuroSurgeon's layer of this name.
#include "common/masked_layers.hpp"

namespace squall {

class MagPruneConv1d final : public MaskedLayer<MagPruneConv1d, ConvPart<1>, MagnitudePruning> {
 public:
  static constexpr std::string_view kType = "MagPruneConv1d";
  static constexpr std::string_view kDoc =
      "Convolution of sequences without the weights of smallest magnitude; options and masks as of MagnitudePruning.";
};

void register_mag_prune_conv1d(Catalog& catalog) { catalog.of<Layer>().add<MagPruneConv1d>(); }

}  // namespace squall
