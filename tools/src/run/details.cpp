#include "squall/core/ops/memory.hpp"
#include "squall/tools/run.hpp"

namespace squall {

std::string binding_details(const Network& network) {
  const Binding& binding = network.binding();
  std::string text =
      concat("buffers ", bytes_text(static_cast<double>(binding.arena_bytes())), " (",
             bytes_text(static_cast<double>(binding.workspace_bytes())), " of them workspace), parameters ",
             bytes_text(static_cast<double>(network.store().bytes())), "; sizes");
  const Symbols& names = network.graph().symbols();
  for (int s = 0; s < names.size(); ++s)
    text += concat(" ", names.name(s), " = ", binding.sizes()[static_cast<std::size_t>(s)]);
  for (int n = 0; n < network.graph().size(); ++n) {
    const LayerViews& views = binding.views(n);
    std::string plans;
    for (const auto& plan : views.plans)
      if (plan) plans += concat(plans.empty() ? "" : ", ", plan->kind());
    if (!plans.empty()) text += concat("\n  ", views.node->name, " (", views.node->layer->type(), "): ", plans);
  }
  return text;
}

}  // namespace squall
