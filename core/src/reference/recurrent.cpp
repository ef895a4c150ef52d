#include "reference/parts.hpp"
#include "reference/reference.hpp"

namespace squall {

std::unique_ptr<RecurrentPlan> make_recurrent_reference(Handler&, const RecurrentSpec&) { return nullptr; }

}  // namespace squall
