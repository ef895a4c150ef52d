// RNNCell: one step of RNN.
#include "common/nonlinearity.hpp"
#include "common/recurrent_cell.hpp"

namespace squall {

struct RnnCellOptions : CellOptions {
  Nonlinearity nonlinearity = Nonlinearity::Tanh;
  static constexpr auto fields = std::tuple_cat(
      CellOptions::fields, std::tuple{field("nonlinearity", &RnnCellOptions::nonlinearity, "tanh or relu")});
};

class RnnCell final : public CellLayer<RnnCell, RnnCellOptions> {
 public:
  static constexpr std::string_view kType = "RNNCell";
  static constexpr std::string_view kDoc =
      "One step of RNN for each row of the input: `h0` (as the input, but for the number of units) is the state "
      "before; zeros without. `default` is the state after the step.";
  static constexpr Cell kCell = Cell::Simple;
  void complete(DirectionWanted& w) const { w.activation = activation_of(options.nonlinearity); }
};

void register_rnn_cell(Catalog& catalog) { catalog.of<Layer>().add<RnnCell>(); }

}  // namespace squall
