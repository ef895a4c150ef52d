// MagPruneConv2d: NeuroSurgeon's layer of this name.
#include "common/masked_layers.hpp"

namespace squall {

class MagPruneConv2d final : public MaskedLayer<MagPruneConv2d, ConvPart<2>, MagnitudePruning> {
 public:
  static constexpr std::string_view kType = "MagPruneConv2d";
  static constexpr std::string_view kDoc =
      "Convolution of images without the weights of smallest magnitude; options and masks as of MagnitudePruning.";
};

void register_mag_prune_conv2d(Catalog& catalog) { catalog.of<Layer>().add<MagPruneConv2d>(); }

}  // namespace squall
