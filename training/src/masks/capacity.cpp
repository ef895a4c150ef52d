#include "masks/capacity.hpp"

#include <algorithm>

namespace squall::masks {

namespace {

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

struct Need {
  Index columns = 0, taken = 0, wanted = 0;
};

// The first row in which the targets want more than is free; wanted 0: there is none.
Need first_shortage(std::span<const std::uint8_t> taken, std::span<const Target* const> slices, const Rows& rows,
                    const Shares& shares) {
  for (Index r = 0; r < rows.rows; ++r) {
    Need need;
    need.columns = rows.columns;
    const auto row = taken.subspan(at(r * rows.columns), at(rows.columns));
    need.taken = std::ranges::count(row, std::uint8_t{1});
    for (const Target* t : slices) need.wanted += shares.of(t->slice, r);
    if (need.wanted > need.columns - need.taken) return need;
  }
  return {};
}

// The least sparsity, in tenths of a percent, at which so many of the slices certainly fit; above 100: none.
double sparsity_for(const Need& need, Index targets, Index slices) {
  for (int tenths = 0; tenths <= 1000; ++tenths) {
    const double sparsity = tenths / 10.0;
    const Shares s = shares_of(need.columns, slices, sparsity);
    const bool shares_exclude = slices > 1 && s.each == need.columns;
    const Index wanted = targets * s.each - std::max<Index>(0, s.missing - (slices - targets));
    if (wanted <= need.columns - need.taken && !shares_exclude) return sparsity;
  }
  return 101;
}

std::string advice(const Need& need, Index targets, Index slices, bool bias) {
  const double enough = sparsity_for(need, targets, slices);
  const std::string other = bias ? "leave biases unpruned" : "use fewer tasks";
  return enough <= 100 ? concat("raise sparsity to at least ", enough, " or ", other) : other;
}

void check_tensor(const Network& network, std::span<const Target> choosing, std::span<const Target* const> slices,
                  const Rules& rules) {
  const Target& t = *slices.front();
  const ParameterEntry& e = network.store().entry(t.node, t.slot);
  const Rows rows = rows_of(t, rules.options.quota);
  const Shares shares = shares_of(network, t, rules);
  const auto targets = static_cast<Index>(slices.size());
  Need need = first_shortage(owned(e, choosing), slices, rows, shares);
  const bool takes_all = e.tasks() > 1 && shares.each == rows.columns && rows.columns > 0;
  if (need.wanted == 0 && !takes_all) return;
  const std::string name = network.graph().node(t.node).name + "." + e.info->name;
  const std::string has = concat("sparsify: ", name, " has ", rows.columns, rows.columns == 1 ? " weight" : " weights",
                                 rules.options.quota == Quota::Unit && !t.bias ? " per unit" : "");
  if (need.wanted == 0) {
    need.columns = rows.columns;
    raise<ConfigError>(has, ", all of which one task at ", t.sparsity, " % wants, but it has ", e.tasks(), " tasks; ",
                       advice(need, e.tasks(), e.tasks(), t.bias));
  }
  raise<ConfigError>(has, need.taken > 0 ? concat(", of which earlier tasks own ", need.taken) : "", ", but ", targets,
                     targets == 1 ? " task at " : " tasks at ", t.sparsity, targets == 1 ? " % wants " : " % want ",
                     need.wanted, "; ", advice(need, targets, e.tasks(), t.bias));
}

}  // namespace

std::vector<std::uint8_t> owned(const ParameterEntry& e, std::span<const Target> choosing) {
  std::vector<std::uint8_t> taken(at(e.slice_shape().elements()), 0);
  if (e.form != ParameterForm::Masked) return taken;
  for (int t = 0; t < e.tasks(); ++t) {
    const bool chooses = std::ranges::any_of(
        choosing, [&](const Target& c) { return c.node == e.node && c.slot == e.slot && c.slice == t; });
    if (chooses || !is_chosen(e, t)) continue;
    const auto keep = e.mask.span<std::uint8_t>().subspan(at(t) * taken.size(), taken.size());
    for (std::size_t i = 0; i < taken.size(); ++i) taken[i] |= keep[i];
  }
  return taken;
}

Rows rows_of(const Target& t, Quota quota) {
  Rows r;
  r.rows = quota == Quota::Unit ? t.rows : 1;
  r.columns = r.rows > 0 ? t.elements() / r.rows : 0;
  return r;
}

Shares shares_of(const Network& network, const Target& t, const Rules& rules) {
  // Where a shortfall is no error the first come is served first.
  const bool divides = rules.exclusive(t) && rules.options.shortfall == Shortfall::Error;
  const Index slices = divides ? network.store().entry(t.node, t.slot).tasks() : 1;
  return shares_of(rows_of(t, rules.options.quota).columns, slices, t.sparsity);
}

void check_capacity(const Network& network, std::span<const Target> targets, const Rules& rules) {
  if (!rules.eligible->exclusive() || rules.options.shortfall == Shortfall::Warn) return;
  std::map<ParameterKey, std::vector<const Target*>> tensors;
  for (const auto& t : targets) tensors[key_of(t)].push_back(&t);
  for (const auto& [key, slices] : tensors)
    if (slices.front()->slice >= 0 && !joins_others(*slices.front(), rules.options.quota))
      check_tensor(network, targets, slices, rules);
}

}  // namespace squall::masks
