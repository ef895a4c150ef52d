#include "squall/training/sparsification_state.hpp"

#include <cmath>

namespace squall {

bool SparsificationState::reaches_cutoff(double value) const {
  return rules_.smaller_is_better ? value <= rules_.cutoff : value >= rules_.cutoff;
}

bool SparsificationState::improves(double value) const {
  return rules_.smaller_is_better ? best_ - value >= rules_.stopping_delta : value - best_ >= rules_.stopping_delta;
}

SparsificationState::Actions SparsificationState::next(double value) {
  const bool first = std::isnan(best_);
  if (first) best_ = value;
  best_now_ = false;
  Actions actions = mode_ == Mode::Prune ? prune(value, first) : settle(value);
  if (rules_.literal || reached_ || mode_ == Mode::Settle) return actions;
  // The cutoff was not reached yet: the best seen is kept for the case that it never is.
  const bool better = rules_.smaller_is_better ? value < best_ : value > best_;
  if (!first && !better) return actions;
  best_ = value;
  kept_sparsity_ = sparsity_;
  actions.keep = best_now_ = true;
  return actions;
}

SparsificationState::Actions SparsificationState::prune(double value, bool first) {
  Actions actions;
  if (reaches_cutoff(value)) {
    reached_ = true;
    actions.keep = best_now_ = true;
    best_ = value;
    kept_sparsity_ = sparsity_;
    if (sparsity_ + rules_.rate > rules_.maximum) {
      mode_ = Mode::Settle;
      return actions;
    }
    sparsity_ += rules_.rate;
    actions.mask = sparsity_;
    best_now_ = false;
    prune_wait_ = 0;
    return actions;
  }
  if (++prune_wait_ < rules_.patience) return actions;
  mode_ = Mode::Settle;
  actions.restore = true;
  if (!rules_.literal) {
    // This epoch may be the best of all where none has reached the cutoff.
    const bool better = rules_.smaller_is_better ? value < best_ : value > best_;
    if (!reached_ && (first || better)) actions.keep = true, best_ = value, kept_sparsity_ = sparsity_;
    sparsity_ = kept_sparsity_;
  }
  best_now_ = true;
  return actions;
}

SparsificationState::Actions SparsificationState::settle(double value) {
  Actions actions;
  if (improves(value)) {
    actions.keep = best_now_ = true;
    best_ = value;
    kept_sparsity_ = sparsity_;
    stop_wait_ = 0;
    return actions;
  }
  if (++stop_wait_ < rules_.stopping_patience) return actions;
  actions.restore = best_now_ = rules_.restore_best;
  actions.stop = true;
  return actions;
}

bool SparsificationState::restores_at_end() const {
  return !rules_.literal && rules_.restore_best && !best_now_ && !std::isnan(best_);
}

json SparsificationState::save() const {
  return {{"mode", mode_ == Mode::Prune ? "prune" : "settle"},
          {"sparsity", sparsity_},
          {"kept_sparsity", kept_sparsity_},
          {"best", std::isnan(best_) ? json() : json(best_)},
          {"prune_wait", prune_wait_},
          {"stop_wait", stop_wait_},
          {"reached", reached_},
          {"best_now", best_now_}};
}

void SparsificationState::load(const json& j) {
  if (!j.contains("mode")) return;
  mode_ = j["mode"] == "prune" ? Mode::Prune : Mode::Settle;
  sparsity_ = j["sparsity"].get<double>();
  kept_sparsity_ = j["kept_sparsity"].get<double>();
  best_ = j["best"].is_number() ? j["best"].get<double>() : std::numeric_limits<double>::quiet_NaN();
  prune_wait_ = j["prune_wait"].get<Index>();
  stop_wait_ = j["stop_wait"].get<Index>();
  reached_ = j["reached"].get<bool>();
  best_now_ = j["best_now"].get<bool>();
}

}  // namespace squall
