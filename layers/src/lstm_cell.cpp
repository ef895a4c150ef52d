// LSTMCell: one step of LSTM.
#include "common/recurrent_cell.hpp"

namespace squall {

class LstmCell final : public CellLayer<LstmCell, CellOptions> {
 public:
  static constexpr std::string_view kType = "LSTMCell";
  static constexpr std::string_view kDoc =
      "One step of LSTM for each row of the input: `h0` and `c0` (as the input, but for the number of units) are the "
      "state before; zeros without. `default` is the state after the step, `cn` the cell.";
  static constexpr Cell kCell = Cell::Lstm;
  void complete(DirectionWanted&) const {}
};

void register_lstm_cell(Catalog& catalog) { catalog.of<Layer>().add<LstmCell>(); }

}  // namespace squall
