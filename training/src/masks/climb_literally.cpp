// The original's ladder, literally: one patience for all rungs, the best is replaced also by what is worse, sparsity is
// not rolled back with the weights, and nothing of earlier tasks is frozen.
#include <algorithm>

#include "masks/ladder.hpp"

namespace squall::masks {

// Gives the percentile at which it ended.
double Ladder::literal_rungs(std::size_t t, double best, MaskedSnapshot& snapshot, TaskReport& report) {
  const double rate = of(options_.pruning_rate, t);
  double p = report.percentile;
  Index wait = 0;
  for (bool first = true; p + rate < 100; first = false) {
    if (!first) mask(t, p += rate, nullptr);
    Stepper stepper = make_stepper();
    TaskReport::Rung rung;
    rung.percentile = p;
    for (; wait < options_.patience && !rung.accepted; ++rung.epochs) {
      rung.loss = run_fit(t, stepper, 1, nullptr, report).val_loss.back();
      rung.accepted = rung.loss < best + options_.delta;
      wait += rung.accepted ? 0 : 1;
    }
    report.rungs.push_back(rung);
    if (rung.accepted) {
      snapshot.capture(network_);
      best = rung.loss;
    }
    if (wait == options_.patience) break;
  }
  return p;
}

void Ladder::go_on_after(const std::vector<TaskReport>& finished) {
  for (std::size_t t = 0; t < finished.size(); ++t)
    literal_used_ = (t == 0 ? 0 : literal_used_) + 100 - finished[t].percentile;
}

TaskReport Ladder::climb_literally(std::size_t t) {
  TaskReport report;
  report.task = tasks_[t].task.name;
  const Index epochs = of(options_.max_epochs, t);
  const EarlyStop stopper{options_.delta, options_.patience, false};
  Stepper stepper = make_stepper();
  const double best = run_fit(t, stepper, epochs, &stopper, report).best();
  report.dense_loss = best;
  MaskedSnapshot snapshot;
  snapshot.capture(network_);
  const double start = of(options_.starting_pruning, t);
  report.percentile = t == 0 ? start : std::max(start, literal_used_);
  if (report.percentile != 0) mask(t, std::min(report.percentile, 100.0), nullptr);
  report.percentile = literal_rungs(t, best, snapshot, report);
  literal_used_ = t == 0 ? 100 - report.percentile : literal_used_ + 100 - report.percentile;
  snapshot.restore(network_);
  Stepper last = make_stepper();
  report.sparse_loss = run_fit(t, last, epochs, &stopper, report).best();
  report.density = report_masks(network_, std::span(&tasks_[t].task, 1)).density(report.task);
  report.free = 1 - used(t) / 100;
  return report;
}

}  // namespace squall::masks
