#include "masks/choose.hpp"

#include <algorithm>
#include <cmath>

namespace squall::masks {

namespace {

std::size_t at(Index i) { return static_cast<std::size_t>(i); }
Index count(std::span<const std::uint8_t> bytes) { return std::ranges::count(bytes, std::uint8_t{1}); }

const ParameterEntry& entry_of(const Network& network, const Target& t) {
  return network.store().entry(t.node, t.slot);
}

// 1 where a slice of the tensor owns the weight already.
MaskBytes owned(const ParameterEntry& e) {
  MaskBytes taken(at(e.slice_shape().elements()), 0);
  if (e.form != ParameterForm::Masked) return taken;
  for (int t = 0; t < e.tasks(); ++t) {
    if (!is_chosen(e, t)) continue;
    const auto keep = e.mask.span<std::uint8_t>().subspan(at(t) * taken.size(), taken.size());
    for (std::size_t i = 0; i < taken.size(); ++i) taken[i] |= keep[i];
  }
  return taken;
}

// Weights over which a share is counted, and how many of them are taken where it is tightest.
struct Room {
  Index rows = 1, columns = 0, taken = 0;
};
Room room_of(const Network& network, const Target& t, Quota quota) {
  Room room;
  room.rows = quota == Quota::Unit ? t.rows : 1;
  room.columns = room.rows > 0 ? t.elements() / room.rows : 0;
  const MaskBytes taken = owned(entry_of(network, t));
  for (Index r = 0; r < room.rows; ++r)
    room.taken = std::max(room.taken, count(std::span(taken).subspan(at(r * room.columns), at(room.columns))));
  return room;
}

// The smallest sparsity, in tenths of a percent, at which at most `most` of n are kept; above 100: there is none.
double sparsity_for(Index n, Index most) {
  if (most < 1) return 101;
  double tenths = n > 1 ? std::floor(1000.0 * static_cast<double>(n - most - 1) / static_cast<double>(n - 1)) : 0;
  tenths = std::max(0.0, tenths);
  while (tenths <= 1000 && kept_of(n, tenths / 10) > most) ++tenths;
  return tenths / 10;
}

std::string advice(const Room& room, Index tasks, const Target& t) {
  const double enough = sparsity_for(room.columns, (room.columns - room.taken) / tasks);
  const std::string other = t.bias ? "leave biases unpruned" : "use fewer tasks";
  return enough <= 100 ? concat("raise sparsity to at least ", enough, " or ", other) : other;
}

void check_tensor(const Network& network, std::span<const Target* const> slices, const Rsn2Options& options) {
  const Target& t = *slices.front();
  const ParameterEntry& e = entry_of(network, t);
  const Room room = room_of(network, t, options.quota);
  const auto tasks = static_cast<Index>(slices.size());
  const Index wanted = kept_of(room.columns, options.sparsity);
  const std::string name = network.graph().node(t.node).name + "." + e.info->name;
  const std::string has = concat("sparsify: ", name, " has ", room.columns, " weight", room.columns == 1 ? "" : "s",
                                 options.quota == Quota::Unit && !t.bias ? " per unit" : "");
  const std::string owners = room.taken > 0 ? concat(", of which earlier tasks own ", room.taken) : "";
  if (tasks * wanted > room.columns - room.taken)
    raise<ConfigError>(has, owners, ", but ", tasks, tasks == 1 ? " task at " : " tasks at ", options.sparsity,
                       tasks == 1 ? " % wants " : " % want ", tasks * wanted, "; ", advice(room, tasks, t));
  if (e.tasks() > 1 && wanted == room.columns)
    raise<ConfigError>(has, ", all of which one task at ", options.sparsity, " % wants, but it has ", e.tasks(),
                       " tasks; ", advice(room, e.tasks(), t));
}

// Targets that share one count: each alone, or with Quota::Global all weights of a task together.
std::vector<std::vector<std::size_t>> groups_of(std::span<const Target> targets, Quota quota) {
  std::vector<std::vector<std::size_t>> groups;
  std::map<std::size_t, std::size_t> of_task;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const bool joins = quota == Quota::Global && !targets[i].bias;
    const auto found = of_task.find(targets[i].tasks.front());
    if (joins && found != of_task.end()) {
      groups[found->second].push_back(i);
      continue;
    }
    if (joins) of_task[targets[i].tasks.front()] = groups.size();
    groups.push_back({i});
  }
  return groups;
}

void describe_choice(const Target& t, std::span<const double> scores, std::span<const std::uint8_t> keep,
                     std::vector<std::string>& warnings) {
  Index starved = 0, idle = 0;
  for (Index r = 0; r < t.rows; ++r)
    starved += count(keep.subspan(at(r * t.columns), at(t.columns))) == 0 && t.columns > 0 ? 1 : 0;
  for (std::size_t i = 0; i < keep.size(); ++i) idle += keep[i] != 0 && scores[i] == 0 ? 1 : 0;
  if (starved > 0 && !t.bias)
    warnings.push_back(concat(t.name, ": ", starved, " of ", t.rows, " units keep no incoming weight"));
  if (idle > 0 && !t.bias)
    warnings.push_back(concat(t.name, ": ", idle, " of ", count(keep), " kept weights have a score of 0"));
}

class Chooser {
 public:
  Chooser(const Network& network, std::span<const Target> targets, const Scores& scores, std::span<const Task> tasks,
          const Rsn2Options& options)
      : network_(network), targets_(targets), scores_(scores), tasks_(tasks), options_(options) {}

  std::vector<MaskBytes> run(std::vector<std::string>& warnings) {
    masks_.resize(targets_.size());
    for (const auto& group : groups_of(targets_, options_.quota)) choose(group, warnings);
    return std::move(masks_);
  }

 private:
  bool exclusive(const Target& t) const { return options_.exclusive && t.slice >= 0; }

  MaskBytes& taken(const Target& t) {
    const auto [found, added] = taken_.try_emplace(key_of(t));
    if (added) found->second = owned(entry_of(network_, t));
    return found->second;
  }

  void choose(const std::vector<std::size_t>& group, std::vector<std::string>& warnings) {
    std::vector<double> scores;
    MaskBytes eligible;
    for (const std::size_t i : group) {
      const auto own = scores_.of(i);
      scores.insert(scores.end(), own.begin(), own.end());
      eligible.resize(scores.size(), 1);
      if (!exclusive(targets_[i])) continue;
      const MaskBytes& others = taken(targets_[i]);
      const auto first = eligible.size() - own.size();
      for (std::size_t k = 0; k < own.size(); ++k) eligible[first + k] = others[k] == 0 ? 1 : 0;
    }
    const Target& front = targets_[group.front()];
    const bool unit = options_.quota == Quota::Unit;
    const Index rows = unit ? front.rows : 1;
    const Selection selection =
        select_top(scores, eligible, rows, static_cast<Index>(scores.size()) / std::max<Index>(1, rows),
                   options_.sparsity, options_.quota);
    if (selection.kept < selection.wanted)
      raise<ConfigError>("sparsify: task '", tasks_[front.tasks.front()].name, "' wants ", selection.wanted,
                         " weights of ", group.size() > 1 ? std::string("all layers") : front.name, ", but only ",
                         selection.kept, " are free; raise sparsity or use fewer tasks");
    std::size_t first = 0;
    for (const std::size_t i : group) {
      const auto size = at(targets_[i].elements());
      masks_[i].assign(selection.keep.begin() + static_cast<std::ptrdiff_t>(first),
                       selection.keep.begin() + static_cast<std::ptrdiff_t>(first + size));
      describe_choice(targets_[i], std::span(scores).subspan(first, size), masks_[i], warnings);
      first += size;
      if (!exclusive(targets_[i])) continue;
      MaskBytes& others = taken(targets_[i]);
      for (std::size_t k = 0; k < size; ++k) others[k] |= masks_[i][k];
    }
  }

  const Network& network_;
  std::span<const Target> targets_;
  const Scores& scores_;
  std::span<const Task> tasks_;
  const Rsn2Options& options_;
  std::map<ParameterKey, MaskBytes> taken_;
  std::vector<MaskBytes> masks_;
};

std::map<ParameterKey, std::vector<std::size_t>> by_tensor(std::span<const Target> targets) {
  std::map<ParameterKey, std::vector<std::size_t>> tensors;
  for (std::size_t i = 0; i < targets.size(); ++i) tensors[key_of(targets[i])].push_back(i);
  return tensors;
}

}  // namespace

void check_capacity(const Network& network, std::span<const Target> targets, const Rsn2Options& options) {
  if (!options.exclusive) return;
  for (const auto& [key, members] : by_tensor(targets)) {
    std::vector<const Target*> slices;
    for (const std::size_t i : members) slices.push_back(&targets[i]);
    const bool global = options.quota == Quota::Global && !slices.front()->bias;
    if (slices.front()->slice >= 0 && !global) check_tensor(network, slices, options);
  }
}

std::vector<MaskBytes> choose(const Network& network, std::span<const Target> targets, const Scores& scores,
                              std::span<const Task> tasks, const Rsn2Options& options,
                              std::vector<std::string>& warnings) {
  return Chooser(network, targets, scores, tasks, options).run(warnings);
}

std::vector<MaskBytes> choose_literally(std::span<const Target> targets, const Scores& scores,
                                        const Rsn2Options& options, std::vector<std::string>& warnings) {
  const MaskRule rule = !options.exclusive                  ? MaskRule::Independent
                        : options.score == Score::Magnitude ? MaskRule::MagnitudeExclusive
                                                            : MaskRule::GradientsExclusive;
  std::vector<MaskBytes> masks(targets.size());
  for (auto& [key, members] : by_tensor(targets)) {
    auto slices = members;
    std::ranges::sort(slices, {}, [&](std::size_t i) { return targets[i].slice; });
    std::vector<std::vector<double>> all;
    for (const std::size_t i : slices) all.push_back(scores.of(i));
    const auto chosen = literal_masks(rule, all, options.sparsity);
    for (std::size_t k = 0; k < slices.size(); ++k) {
      const Target& t = targets[slices[k]];
      masks[slices[k]] = chosen[k];
      const Index wanted = kept_of(t.elements(), options.sparsity);
      if (count(chosen[k]) != wanted)
        warnings.push_back(concat(t.name, " keeps ", count(chosen[k]), " of ", t.elements(), " weights, not ", wanted,
                                  ": the original's rule"));
      describe_choice(t, all[k], chosen[k], warnings);
    }
  }
  return masks;
}

}  // namespace squall::masks
