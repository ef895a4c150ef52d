// Our ladder: per-rung patience, roll-back to the last rung that was good enough, room for later tasks.
#include <algorithm>

#include "masks/ladder.hpp"

namespace squall::masks {

namespace {

// What a rung that fails goes back to.
struct Accepted {
  MaskedSnapshot network;
  std::vector<HostArray> state;
  Index steps = 0;
  Accepted(const Network& n, const Stepper& s) : state(s.save_state()), steps(s.steps()) { network.capture(n); }
  void restore(Network& n, Stepper& s) const {
    network.restore(n);
    s.load_state(state, steps);
  }
};

}  // namespace

// At least so sparse that each task to come can have as much as this one.
double Ladder::first_rung(std::size_t t) const {
  const double left = 100 - used(t);
  if (left <= 0)
    raise<ConfigError>("train_model_iteratively: no weights are free for task '", tasks_[t].task.name,
                       "'; raise starting_pruning or use fewer tasks");
  const double room = 100 - left / static_cast<double>(tasks_.size() - t);
  return std::max(of(options_.starting_pruning, t), room < 1e-9 ? 0 : room);
}

TaskReport::Rung Ladder::try_rung(std::size_t t, double percentile, double limit, Stepper& stepper,
                                  TaskReport& report) {
  TaskReport::Rung rung;
  rung.percentile = percentile;
  mask(t, percentile, &stepper);
  while (!rung.accepted && rung.epochs < options_.patience) {
    rung.loss = run_fit(t, stepper, 1, nullptr, report).val_loss.back();
    rung.accepted = rung.loss <= limit;
    ++rung.epochs;
  }
  return rung;
}

void Ladder::climb_rungs(std::size_t t, double limit, Stepper& stepper, TaskReport& report) {
  double p = report.percentile;
  if (p > 0) {
    report.rungs.push_back(try_rung(t, p, limit, stepper, report));
    report.rungs.back().forced = !report.rungs.back().accepted;
    if (report.rungs.back().forced) return;
  }
  for (Accepted last(network_, stepper); p + of(options_.pruning_rate, t) <= options_.max_pruning;
       last = Accepted(network_, stepper)) {
    const double next = p + of(options_.pruning_rate, t);
    report.rungs.push_back(try_rung(t, next, limit, stepper, report));
    if (!report.rungs.back().accepted) return last.restore(network_, stepper);
    report.percentile = p = next;
  }
}

TaskReport Ladder::climb(std::size_t t) {
  TaskReport report;
  report.task = tasks_[t].task.name;
  report.percentile = first_rung(t);
  take_free(t);
  Stepper stepper = make_stepper();
  const EarlyStop stopper{options_.delta, options_.patience, true};
  run_fit(t, stepper, of(options_.max_epochs, t), &stopper, report);
  report.dense_loss = validation_loss(network_, data(t));
  climb_rungs(t, report.dense_loss + options_.delta, stepper, report);
  report.sparse_loss = validation_loss(network_, data(t));
  const Accepted before(network_, stepper);
  run_fit(t, stepper, of(options_.max_epochs, t), &stopper, report);
  const double tuned = validation_loss(network_, data(t));
  if (tuned <= report.sparse_loss)
    report.sparse_loss = tuned;
  else
    before.network.restore(network_);
  report.density = report_masks(network_, std::span(&tasks_[t].task, 1)).density(report.task);
  report.free = 1 - used(t) / 100;
  return report;
}

}  // namespace squall::masks
