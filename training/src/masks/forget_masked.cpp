#include "squall/training/forget_masked.hpp"

namespace squall {

void forget_masked(Stepper& stepper, const Network& network) {
  auto state = stepper.save_state();
  if (state.empty()) return;
  for (const auto& e : network.store().entries()) {
    if (e.form != ParameterForm::Masked) continue;
    const auto keep = e.mask.span<std::uint8_t>();
    for (std::size_t v = 0; v < state.size(); ++v)
      for (std::size_t i = 0; i < keep.size(); ++i)
        if (keep[i] == 0)
          state[v].set_value(e.offset + static_cast<Index>(i), stepper.rule().state_initial(static_cast<int>(v)));
  }
  stepper.load_state(state, stepper.steps());
}

}  // namespace squall
