// GRUCell: one step of GRU.
#include "common/recurrent_cell.hpp"

namespace squall {

class GruCell final : public CellLayer<GruCell, CellOptions> {
 public:
  static constexpr std::string_view kType = "GRUCell";
  static constexpr std::string_view kDoc =
      "One step of GRU for each row of the input: `h0` (as the input, but for the number of units) is the state "
      "before; zeros without. `default` is the state after the step.";
  static constexpr Cell kCell = Cell::Gru;
  void complete(DirectionWanted&) const {}
};

void register_gru_cell(Catalog& catalog) { catalog.of<Layer>().add<GruCell>(); }

}  // namespace squall
