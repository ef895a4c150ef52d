// HardConcreteConv2d: NeuroSurgeon's layer of this name.
#include "common/masked_layers.hpp"

namespace squall {

class HardConcreteConv2d final : public MaskedLayer<HardConcreteConv2d, ConvPart<2>, HardConcrete> {
 public:
  static constexpr std::string_view kType = "HardConcreteConv2d";
  static constexpr std::string_view kDoc =
      "Convolution of images under a hard concrete mask; options and masks as of HardConcrete.";
};

void register_hard_concrete_conv2d(Catalog& catalog) { catalog.of<Layer>().add<HardConcreteConv2d>(); }

}  // namespace squall
