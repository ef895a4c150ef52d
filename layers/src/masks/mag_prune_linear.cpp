// MagPruneLinear: NeuroSurgeon's layer of this name.
#include "common/masked_layers.hpp"

namespace squall {

class MagPruneLinear final : public MaskedLayer<MagPruneLinear, LinearPart, MagnitudePruning> {
 public:
  static constexpr std::string_view kType = "MagPruneLinear";
  static constexpr std::string_view kDoc =
      "Dense layer without the weights of smallest magnitude; options and masks as of MagnitudePruning.";
};

void register_mag_prune_linear(Catalog& catalog) { catalog.of<Layer>().add<MagPruneLinear>(); }

}  // namespace squall
