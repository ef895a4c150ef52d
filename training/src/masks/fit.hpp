// A few epochs on the loss of one task.
#pragma once

#include <functional>

#include "squall/training/data_iterator.hpp"
#include "squall/training/masked_snapshot.hpp"
#include "squall/training/stepper.hpp"
#include "squall/training/task.hpp"

namespace squall::masks {

struct FitData {
  const Task& task;
  DataIterator& training;
  DataIterator& validation;
  std::vector<std::string> frozen;           // layers that are not trained
  const std::function<bool()>& should_stop;  // may be empty
};
// Thrown when should_stop says so.
struct Stopped {};

struct FitResult {
  std::vector<double> loss, val_loss;  // per epoch; loss before each update
  double best() const;                 // least of val_loss
};

// One epoch after another; `stopper` null: no early stopping.
struct EarlyStop {
  double delta = 0;
  Index patience = 1;
  bool always_restore = true;  // the best weights also when epochs run out; the original does not
};
FitResult fit(Network& network, Stepper& stepper, const FitData& data, Index max_epochs, const EarlyStop* stopper);

// Mean validation loss of the task.
double validation_loss(Network& network, const FitData& data);

}  // namespace squall::masks
