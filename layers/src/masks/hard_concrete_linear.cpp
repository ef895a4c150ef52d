// HardConcreteLinear: NeuroSurgeon's layer of this name.
#include "common/masked_layers.hpp"

namespace squall {

class HardConcreteLinear final : public MaskedLayer<HardConcreteLinear, LinearPart, HardConcrete> {
 public:
  static constexpr std::string_view kType = "HardConcreteLinear";
  static constexpr std::string_view kDoc =
      "Dense layer under a hard concrete mask; options and masks as of HardConcrete.";
};

void register_hard_concrete_linear(Catalog& catalog) { catalog.of<Layer>().add<HardConcreteLinear>(); }

}  // namespace squall
