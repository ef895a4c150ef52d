// One task's way from dense to sparse, rung by rung.
#pragma once

#include "masks/fit.hpp"
#include "squall/training/mask_model.hpp"
#include "squall/training/train_iteratively.hpp"

namespace squall::masks {

class Ladder {
 public:
  Ladder(Network& network, const std::vector<IterativeTask>& tasks, const IterativeOptions& options)
      : network_(network), tasks_(tasks), options_(options) {}
  // Trains task t in free weights, prunes it while its loss allows (rolled back to the last rung that was good enough)
  // and fine-tunes what it keeps. Tasks come in order.
  TaskReport climb(std::size_t t);
  TaskReport climb_literally(std::size_t t);
  // What the tasks before claimed, of an interrupted run that goes on.
  void go_on_after(const std::vector<TaskReport>& finished);

 private:
  template <class T>
  static T of(const std::vector<T>& list, std::size_t t) {
    return list.size() == 1 ? list[0] : list[t];
  }
  FitData data(std::size_t t) const;
  Stepper make_stepper() const;
  FitResult run_fit(std::size_t t, Stepper& stepper, Index epochs, const EarlyStop* stopper, TaskReport& report);
  void take_free(std::size_t t);
  void mask(std::size_t t, double percentile, Stepper* stepper);
  // Masks, then trains until the loss is within the limit or patience ends.
  TaskReport::Rung try_rung(std::size_t t, double percentile, double limit, Stepper& stepper, TaskReport& report);
  double used(std::size_t t) const;  // percent of that of its tensors with the least free weights
  ParameterEntry& entry_of(const TaskParameter& p) const;
  double first_rung(std::size_t t) const;
  void climb_rungs(std::size_t t, double limit, Stepper& stepper, TaskReport& report);
  double literal_rungs(std::size_t t, double best, MaskedSnapshot& snapshot, TaskReport& report);

  Network& network_;
  const std::vector<IterativeTask>& tasks_;
  const IterativeOptions& options_;
  double literal_used_ = 100;
};

}  // namespace squall::masks
