// The state machine of active sparsification: told a measurement at the end of each epoch, it says what to do. Prune:
// sparsity rises a step whenever the measurement reaches the cutoff. Settle: sparsity stays, and training ends when it
// gets no better.
#pragma once

#include <limits>
#include <optional>

#include "squall/core/json.hpp"
#include "squall/core/shape.hpp"

namespace squall {

struct SparsificationRules {
  double cutoff = 0;
  bool smaller_is_better = false;
  double starting = 0, maximum = 99, rate = 1;  // percent
  Index patience = 10;                          // epochs below the cutoff before pruning ends
  double stopping_delta = 0.01;
  Index stopping_patience = 5;
  bool restore_best = true;
  bool literal = false;  // the original's states: sparsity is not lowered when weights are put back, and what is put
                         // back where the cutoff was never reached are the weights of the start
};

class SparsificationState {
 public:
  enum class Mode : std::uint8_t { Prune, Settle };
  // What the caller has to do, in this order.
  struct Actions {
    bool keep = false;           // keep these weights and masks as the best
    std::optional<double> mask;  // set masks of this sparsity
    bool restore = false;        // put the best back
    bool stop = false;
  };
  explicit SparsificationState(const SparsificationRules& rules) : rules_(rules), sparsity_(rules.starting) {}

  Actions next(double value);
  // At the end of training, when epochs have run out: whether the best should be put back.
  bool restores_at_end() const;

  Mode mode() const { return mode_; }
  double sparsity() const { return sparsity_; }  // of the masks in force
  Index prune_wait() const { return prune_wait_; }
  Index stop_wait() const { return stop_wait_; }
  double best() const { return best_; }  // NaN before the first epoch
  json save() const;
  void load(const json& j);

 private:
  bool reaches_cutoff(double value) const;
  bool improves(double value) const;
  Actions prune(double value, bool first);
  Actions settle(double value);

  SparsificationRules rules_;
  Mode mode_ = Mode::Prune;
  double sparsity_ = 0, kept_sparsity_ = 0;  // kept: of the best weights
  double best_ = std::numeric_limits<double>::quiet_NaN();
  Index prune_wait_ = 0, stop_wait_ = 0;
  bool reached_ = false, best_now_ = false;  // the cutoff, once; the weights in force are the best
};

}  // namespace squall
