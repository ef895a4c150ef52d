#include "masks/choose.hpp"

#include <algorithm>

#include "masks/capacity.hpp"

namespace squall::masks {

namespace {

std::size_t at(Index i) { return static_cast<std::size_t>(i); }
Index count(std::span<const std::uint8_t> bytes) { return std::ranges::count(bytes, std::uint8_t{1}); }

const ParameterEntry& entry_of(const Network& network, const Target& t) {
  return network.store().entry(t.node, t.slot);
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

// Rows of a slice that gets one weight less lose their worst.
void trim(const Target& t, const Rows& rows, const Shares& shares, std::span<const double> scores, Selection& s) {
  for (Index r = 0; r < rows.rows; ++r) {
    if (!shares.is_short(t.slice, r)) continue;
    const auto first = at(r * rows.columns), last = first + at(rows.columns);
    if (count(std::span(s.keep).subspan(first, last - first)) < shares.each) continue;
    auto worst = last;
    for (std::size_t i = first; i < last; ++i)
      if (s.keep[i] != 0 && (worst == last || scores[i] <= scores[worst])) worst = i;
    s.keep[worst] = 0;
    --s.kept;
  }
}

class Chooser {
 public:
  Chooser(const Network& network, std::span<const Target> targets, const Scores& scores, std::span<const Task> tasks,
          const Rsn2Options& options, std::vector<std::string>& warnings)
      : network_(network),
        targets_(targets),
        scores_(scores),
        tasks_(tasks),
        options_(options),
        warnings_(warnings),
        masks_(targets.size()) {}

  std::vector<MaskBytes> run() {
    for (const auto& group : groups_of(targets_, options_.quota)) {
      if (options_.quota == Quota::Global && !targets_[group.front()].bias)
        choose_together(group);
      else
        choose_one(group.front());
    }
    return std::move(masks_);
  }

 private:
  bool exclusive(const Target& t) const { return options_.exclusive && t.slice >= 0; }

  MaskBytes& taken(const Target& t) {
    const auto [found, added] = taken_.try_emplace(key_of(t));
    if (added) found->second = owned(entry_of(network_, t));
    return found->second;
  }
  MaskBytes eligible(const Target& t) {
    MaskBytes free;
    if (!exclusive(t)) return MaskBytes(at(t.elements()), 1);
    for (const std::uint8_t byte : taken(t)) free.push_back(byte == 0 ? 1 : 0);
    return free;
  }
  void take(std::size_t i, MaskBytes mask, std::span<const double> scores) {
    const Target& t = targets_[i];
    describe_choice(t, scores, mask, warnings_);
    if (exclusive(t)) {
      MaskBytes& others = taken(t);
      for (std::size_t k = 0; k < mask.size(); ++k) others[k] |= mask[k];
    }
    masks_[i] = std::move(mask);
  }

  void choose_one(std::size_t i) {
    const Target& t = targets_[i];
    const auto scores = scores_.of(i);
    const Rows rows = rows_of(t, options_.quota);
    const Shares shares = shares_of(network_, t, options_);
    if (shares.missing > 0 && !taken_.contains(key_of(t)))
      warnings_.push_back(concat(
          network_.graph().node(t.node).name, ".", entry_of(network_, t).info->name, ": ", shares.slices, " shares of ",
          rows.columns, " weights round up to ", shares.slices * shares.each, "; ", shares.missing, " of the tasks get",
          shares.missing == 1 ? "s" : "", " one less", rows.rows > 1 ? ", others in each unit" : ""));
    Selection s = select_top(scores, eligible(t), rows.rows, rows.columns, options_.sparsity, options_.quota);
    trim(t, rows, shares, scores, s);
    take(i, std::move(s.keep), scores);
  }

  void choose_together(const std::vector<std::size_t>& group) {
    std::vector<double> scores;
    MaskBytes free;
    for (const std::size_t i : group) {
      const auto own = scores_.of(i);
      scores.insert(scores.end(), own.begin(), own.end());
      const auto open = eligible(targets_[i]);
      free.insert(free.end(), open.begin(), open.end());
    }
    const auto all = static_cast<Index>(scores.size());
    const Selection s = select_top(scores, free, 1, all, options_.sparsity, Quota::Global);
    const std::string& task = tasks_[targets_[group.front()].tasks.front()].name;
    Index slices = 1;
    for (const std::size_t i : group) slices = std::max<Index>(slices, entry_of(network_, targets_[i]).tasks());
    const bool by_rounding = s.wanted - s.kept <= shares_of(all, slices, options_.sparsity).missing;
    if (s.kept < s.wanted && !by_rounding)
      raise<ConfigError>("sparsify: task '", task, "' wants ", s.wanted, " of all ", all, " weights, but only ", s.kept,
                         " are free; raise sparsity or use fewer tasks");
    if (s.kept < s.wanted)
      warnings_.push_back(concat("task '", task, "' gets ", s.kept, " weights, not ", s.wanted,
                                 ": the shares of the tasks before it were rounded up"));
    auto next = s.keep.begin();
    std::size_t first = 0;
    for (const std::size_t i : group) {
      const auto size = targets_[i].elements();
      take(i, MaskBytes(next, next + size), std::span(scores).subspan(first, at(size)));
      next += size;
      first += at(size);
    }
  }

  const Network& network_;
  std::span<const Target> targets_;
  const Scores& scores_;
  std::span<const Task> tasks_;
  const Rsn2Options& options_;
  std::vector<std::string>& warnings_;
  std::map<ParameterKey, MaskBytes> taken_;
  std::vector<MaskBytes> masks_;
};

std::map<ParameterKey, std::vector<std::size_t>> by_tensor(std::span<const Target> targets) {
  std::map<ParameterKey, std::vector<std::size_t>> tensors;
  for (std::size_t i = 0; i < targets.size(); ++i) tensors[key_of(targets[i])].push_back(i);
  return tensors;
}

}  // namespace

std::vector<MaskBytes> choose(const Network& network, std::span<const Target> targets, const Scores& scores,
                              std::span<const Task> tasks, const Rsn2Options& options,
                              std::vector<std::string>& warnings) {
  return Chooser(network, targets, scores, tasks, options, warnings).run();
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
