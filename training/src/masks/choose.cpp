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

// Targets that share one count: each alone, or all weights of a task in a layer or in the network.
std::vector<std::vector<std::size_t>> groups_of(std::span<const Target> targets, Quota quota) {
  std::vector<std::vector<std::size_t>> groups;
  std::map<std::pair<std::size_t, int>, std::size_t> known;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const Target& t = targets[i];
    const auto task = t.tasks.empty() ? static_cast<std::size_t>(-1) : t.tasks.front();
    const std::pair<std::size_t, int> key{task, quota == Quota::Global ? -1 : t.node};
    const auto found = known.find(key);
    if (joins_others(t, quota) && found != known.end()) {
      groups[found->second].push_back(i);
      continue;
    }
    if (joins_others(t, quota)) known[key] = groups.size();
    groups.push_back({i});
  }
  return groups;
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
          const Rules& rules, std::vector<std::string>& warnings)
      : network_(network),
        targets_(targets),
        scores_(scores),
        tasks_(tasks),
        rules_(rules),
        warnings_(warnings),
        masks_(targets.size()) {}

  std::vector<MaskBytes> run() {
    for (const auto& group : groups_of(targets_, quota())) {
      if (joins_others(targets_[group.front()], quota()))
        choose_together(group);
      else
        choose_one(group.front());
    }
    return std::move(masks_);
  }

 private:
  Quota quota() const { return rules_.options.quota; }

  MaskBytes& taken(const Target& t) {
    const auto [found, added] = taken_.try_emplace(key_of(t));
    if (added) found->second = owned(entry_of(network_, t), targets_);
    return found->second;
  }
  MaskBytes eligible(const Target& t, std::span<const double> scores) {
    MaskBytes free(at(t.elements()), 1);
    if (rules_.exclusive(t)) std::ranges::transform(taken(t), free.begin(), [](auto b) { return b == 0 ? 1 : 0; });
    for (std::size_t i = 0; i < free.size() && !rules_.options.zero_scores; ++i)
      if (scores[i] == 0) free[i] = 0;
    return free;
  }
  void take(std::size_t i, MaskBytes mask, std::span<const double> scores) {
    const Target& t = targets_[i];
    describe_choice(t, scores, mask, warnings_);
    if (rules_.exclusive(t)) {
      MaskBytes& others = taken(t);
      for (std::size_t k = 0; k < mask.size(); ++k) others[k] |= mask[k];
    }
    masks_[i] = std::move(mask);
  }

  void choose_one(std::size_t i) {
    const Target& t = targets_[i];
    const auto scores = scores_.of(i);
    const Rows rows = rows_of(t, quota());
    const Shares shares = shares_of(network_, t, rules_);
    if (shares.missing > 0 && !taken_.contains(key_of(t))) warn_of_rounding(t, rows, shares);
    Selection s = select_best(scores, eligible(t, scores), rows.rows, rows.columns, kept_of(rows.columns, t.sparsity));
    trim(t, rows, shares, scores, s);
    if (s.wanted - count(s.keep) > shares.missing * rows.rows)
      warnings_.push_back(concat(t.name, " keeps ", count(s.keep), " weights, not ", s.wanted, ": no more were free",
                                 rules_.options.zero_scores ? "" : " with a score above 0"));
    take(i, std::move(s.keep), scores);
  }

  void warn_of_rounding(const Target& t, const Rows& rows, const Shares& shares) {
    warnings_.push_back(concat(
        network_.graph().node(t.node).name, ".", entry_of(network_, t).info->name, ": ", shares.slices, " shares of ",
        rows.columns, " weights round up to ", shares.slices * shares.each, "; ", shares.missing, " of the tasks get",
        shares.missing == 1 ? "s" : "", " one less", rows.rows > 1 ? ", others in each unit" : ""));
  }

  void choose_together(const std::vector<std::size_t>& group) {
    std::vector<double> scores;
    MaskBytes free;
    double pruned = 0;
    Index slices = 1;
    for (const std::size_t i : group) {
      const Target& t = targets_[i];
      const auto own = scores_.of(i);
      scores.insert(scores.end(), own.begin(), own.end());
      const auto open = eligible(t, own);
      free.insert(free.end(), open.begin(), open.end());
      pruned += t.sparsity * static_cast<double>(t.elements());
      slices = std::max<Index>(slices, entry_of(network_, t).tasks());
    }
    const auto all = static_cast<Index>(scores.size());
    const double sparsity = pruned / static_cast<double>(std::max<Index>(1, all));
    const Selection s = select_best(scores, free, 1, all, kept_of(all, sparsity));
    if (s.kept < s.wanted) tell_shortfall(group, s, all, shares_of(all, slices, sparsity).missing);
    auto next = s.keep.begin();
    std::size_t first = 0;
    for (const std::size_t i : group) {
      const auto size = targets_[i].elements();
      take(i, MaskBytes(next, next + size), std::span(scores).subspan(first, at(size)));
      next += size;
      first += at(size);
    }
  }

  void tell_shortfall(const std::vector<std::size_t>& group, const Selection& s, Index all, Index by_rounding) {
    const Target& t = targets_[group.front()];
    const std::string task = t.tasks.empty() ? "nobody" : tasks_[t.tasks.front()].name;
    const std::string of = quota() == Quota::Layer ? " of the " : " of all ";
    const std::string where = quota() == Quota::Layer ? " of layer " + network_.graph().node(t.node).name : "";
    const bool rounding = s.wanted - s.kept <= by_rounding;
    if (!rounding && rules_.options.shortfall == Shortfall::Error)
      raise<ConfigError>("sparsify: task '", task, "' wants ", s.wanted, of, all, " weights", where, ", but only ",
                         s.kept, " are free; raise sparsity or use fewer tasks");
    warnings_.push_back(
        concat("task '", task, "' gets ", s.kept, " weights", where, ", not ", s.wanted,
               rounding ? ": the shares of the tasks before it were rounded up" : ": no more were free"));
  }

  const Network& network_;
  std::span<const Target> targets_;
  const Scores& scores_;
  std::span<const Task> tasks_;
  const Rules& rules_;
  std::vector<std::string>& warnings_;
  std::map<ParameterKey, MaskBytes> taken_;
  std::vector<MaskBytes> masks_;
};

}  // namespace

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

std::vector<MaskBytes> choose(const Network& network, std::span<const Target> targets, const Scores& scores,
                              std::span<const Task> tasks, const Rules& rules, std::vector<std::string>& warnings) {
  return Chooser(network, targets, scores, tasks, rules, warnings).run();
}

}  // namespace squall::masks
