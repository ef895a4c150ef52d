// LSTM: PyTorch's long short-term memory, in layers and two directions.
#include "common/stacked_recurrent_layer.hpp"

namespace squall {

struct StackedLstmOptions : StackOptions {
  Index proj_size = 0;
  static constexpr auto fields = std::tuple_cat(
      StackOptions::fields,
      std::tuple{field("proj_size", &StackedLstmOptions::proj_size, "width of the projected state; 0: not projected")});
};

class StackedLstm final : public StackLayer<StackedLstm, StackedLstmOptions> {
 public:
  static constexpr std::string_view kType = "LSTM";
  static constexpr std::string_view kDoc =
      "Long short-term memory without peepholes; rows of weights in the order i, f, g, o. With `proj_size` the state "
      "is weight_hr h and has that width. Inputs `h0`, `c0` (B, layers times directions, units) are the first states, "
      "in the order of layers, then directions; without them states are zeros, or those of the pass before where it "
      "goes on. `lengths` (B, 1) end sequences early. Outputs: `default` (T, B, directions times units), `hn` and "
      "`cn`: the last states. Parameters are PyTorch's: weight_ih_l0, weight_hh_l0_reverse, bias_hh_l1, ...";
  static constexpr Cell kCell = Cell::Lstm;
  void complete(const Declare& d, DirectionWanted& w) const {
    if (options.proj_size < 0 || options.proj_size >= w.units)
      d.fail("option 'proj_size' should be 0 or less than hidden_size ", w.units, ", not ", options.proj_size);
    w.projection = options.proj_size;
  }
};

void register_stacked_lstm(Catalog& catalog) { catalog.of<Layer>().add<StackedLstm>(); }

}  // namespace squall
