#include "reference/recurrent_base.hpp"
#include "reference/reference.hpp"

namespace squall {

std::unique_ptr<RecurrentPlan> make_recurrent_reference(Handler& handler, const RecurrentSpec& spec) {
  switch (spec.cell) {
    case Cell::Lstm: return make_lstm_reference(handler, spec);
    case Cell::Gru: return make_gru_reference(handler, spec);
    case Cell::Simple: break;
  }
  return make_simple_reference(handler, spec);
}

}  // namespace squall
