// RNN: PyTorch's simple recurrent units, in layers and two directions.
#include "common/nonlinearity.hpp"
#include "common/stacked_recurrent_layer.hpp"

namespace squall {

struct StackedRnnOptions : StackOptions {
  Nonlinearity nonlinearity = Nonlinearity::Tanh;
  static constexpr auto fields = std::tuple_cat(
      StackOptions::fields, std::tuple{field("nonlinearity", &StackedRnnOptions::nonlinearity, "tanh or relu")});
};

class StackedRnn final : public StackLayer<StackedRnn, StackedRnnOptions> {
 public:
  static constexpr std::string_view kType = "RNN";
  static constexpr std::string_view kDoc =
      "h = f(W_ih x + b_ih + W_hh h + b_hh). Inputs `h0` (B, layers times directions, units) are the first states, in "
      "the order of layers, then directions; without them states are zeros, or those of the pass before where it goes "
      "on. `lengths` (B, 1) end sequences early. Outputs: `default` (T, B, directions times units), `hn`: the last "
      "states. Parameters are PyTorch's: weight_ih_l0, weight_hh_l0_reverse, bias_hh_l1, ...";
  static constexpr Cell kCell = Cell::Simple;
  void complete(const Declare&, DirectionWanted& w) const { w.activation = activation_of(options.nonlinearity); }
};

void register_stacked_rnn(Catalog& catalog) { catalog.of<Layer>().add<StackedRnn>(); }

}  // namespace squall
