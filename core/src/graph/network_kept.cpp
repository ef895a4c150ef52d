// Which parameters need nothing but their kept weights.
#include <algorithm>

#include "squall/core/network.hpp"

namespace squall {

namespace {

bool is_read(const Graph& graph, const ParameterEntry& e) {
  for (int n = 0; n < graph.size(); ++n)
    for (const auto& input : graph.node(n).inputs)
      if (input.source.kind == Source::Kind::Parameter && input.source.node == e.node && input.source.slot == e.slot)
        return true;
  return false;
}

// Kept weights of all slices against what a slice has times their number.
double density_of(const ParameterEntry& e) {
  const std::uint8_t none = e.form == ParameterForm::Packed ? kFreeWeight : std::uint8_t{0};
  const auto bytes = e.mask.span<std::uint8_t>();
  const auto kept = bytes.size() - static_cast<std::size_t>(std::ranges::count(bytes, none));
  const Index all = e.info->shape.elements();
  return all == 0 ? 1 : static_cast<double>(kept) / static_cast<double>(all);
}

}  // namespace

Index Network::keep_only_masked(double density) {
  std::vector<ParameterEntry*> chosen;
  int index = -1;
  for (const auto& e : store_->entries()) {
    ++index;
    const auto minds = [&](const BoundModifier& m) { return m.entry == index && !m.modifier->takes_entries(); };
    if (!e.info->patterned || e.info->mask || (e.form != ParameterForm::Masked && e.form != ParameterForm::Packed))
      continue;
    if (!e.read.empty() || density_of(e) > density || is_read(graph_, e)) continue;
    if (std::ranges::any_of(weight_modifiers_, minds) || std::ranges::any_of(gradient_modifiers_, minds)) continue;
    chosen.push_back(store_->find(graph_.node(e.node).name, e.info->name));
  }
  if (!chosen.empty()) store_->keep_only(chosen);
  return static_cast<Index>(chosen.size());
}

}  // namespace squall
