#include "run/phases.hpp"

#include <algorithm>

namespace squall {

namespace {

// The stages for these tasks; masks of `mask` are made at their start or after the warm-up.
void add_stages(const Experiment& e, const std::vector<std::string>& chosen, const std::vector<std::string>& mask,
                std::vector<Phase>& phases) {
  bool first = true;
  for (std::size_t s = 0; s < e.stages.size(); ++s) {
    Phase phase;
    phase.stage = s;
    phase.epochs = e.stages[s].max_epochs;
    for (const auto& task : e.stages[s].tasks)
      if (std::ranges::find(chosen, task) != chosen.end()) phase.tasks.push_back(task);
    if (phase.tasks.empty()) continue;
    if (first && !mask.empty()) {
      const json& when = e.sparsify->options.when;
      if (when.is_object()) {
        Phase warm_up = phase;
        warm_up.epochs = when["after_epochs"].get<Index>();
        warm_up.with_hooks = false;
        phases.push_back(warm_up);
      }
      phase.mask = mask;
      phase.rescale = e.sparsify->options.rescale && !when.is_object();
    }
    first = false;
    phases.push_back(phase);
  }
}

}  // namespace

std::vector<Phase> make_phases(const Experiment& e) {
  std::vector<std::string> all;
  for (const auto& task : e.tasks) all.push_back(task.first);
  std::vector<Phase> phases;
  if (!e.sparsify || e.sparsify->options.mode == Rsn2Mode::Parallel) {
    add_stages(e, all, e.sparsify ? all : std::vector<std::string>{}, phases);
    return phases;
  }
  const auto& order = e.sparsify->options.order.empty() ? all : e.sparsify->options.order;
  for (const auto& task : order) add_stages(e, {task}, {task}, phases);
  return phases;
}

}  // namespace squall
