// GRU: PyTorch's gated recurrent units, in layers and two directions.
#include "common/stacked_recurrent_layer.hpp"

namespace squall {

class StackedGru final : public StackLayer<StackedGru, StackOptions> {
 public:
  static constexpr std::string_view kType = "GRU";
  static constexpr std::string_view kDoc =
      "Gated recurrent units with the reset after the product; rows of weights in the order r, z, n. Inputs `h0` (B, "
      "layers times directions, units) are the first states, in the order of layers, then directions; without them "
      "states are zeros, or those of the pass before where it goes on. `lengths` (B, 1) end sequences early. Outputs: "
      "`default` (T, B, directions times units), `hn`: the last states. Parameters are PyTorch's: weight_ih_l0, "
      "weight_hh_l0_reverse, bias_hh_l1, ...";
  static constexpr Cell kCell = Cell::Gru;
  void complete(const Declare&, DirectionWanted&) const {}
};

void register_stacked_gru(Catalog& catalog) { catalog.of<Layer>().add<StackedGru>(); }

}  // namespace squall
