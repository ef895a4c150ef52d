// HardConcreteConv1d: NeuroSurgeon's layer of this name.
#include "common/masked_layers.hpp"

namespace squall {

class HardConcreteConv1d final : public MaskedLayer<HardConcreteConv1d, ConvPart<1>, HardConcrete> {
 public:
  static constexpr std::string_view kType = "HardConcreteConv1d";
  static constexpr std::string_view kDoc =
      "Convolution of sequences under a hard concrete mask; options and masks as of HardConcrete.";
};

void register_hard_concrete_conv1d(Catalog& catalog) { catalog.of<Layer>().add<HardConcreteConv1d>(); }

}  // namespace squall
