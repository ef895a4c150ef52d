#include "masks/fit.hpp"

#include <algorithm>
#include <limits>

#include "squall/training/evaluate.hpp"

namespace squall::masks {

namespace {

// Mean loss over the examples of an epoch, each batch's before its update.
double train_epoch(Network& network, Stepper& stepper, PassId pass, const FitData& data, Index epoch) {
  double sum = 0, examples = 0;
  Batch batch;
  data.training.restart(epoch);
  Progress progress;
  progress.epoch = epoch;
  while (data.training.next(batch)) {
    network.provide(batch);
    progress.update = stepper.steps();
    stepper.step(pass, progress);
    if (data.should_stop && data.should_stop()) throw Stopped{};
    const HostArray* input = batch.find(data.task.input);
    const double count = input != nullptr && input->shape().rank() > 1 ? static_cast<double>(input->shape()[1]) : 1;
    sum += network.total_loss() * count;
    examples += count;
  }
  if (examples == 0) raise<DataError>("task '", data.task.name, "' has no training examples");
  return sum / examples;
}

}  // namespace

double FitResult::best() const {
  return val_loss.empty() ? std::numeric_limits<double>::infinity() : *std::ranges::min_element(val_loss);
}

double validation_loss(Network& network, const FitData& data) {
  return evaluate(network, data.validation, std::span(&data.task, 1)).front().get("loss");
}

FitResult fit(Network& network, Stepper& stepper, const FitData& data, Index max_epochs, const EarlyStop* stopper) {
  PassRequest request;
  request.mode = stepper.rule().mode();
  request.heads = {data.task.loss};
  request.frozen = network.options().frozen;
  request.frozen.insert(request.frozen.end(), data.frozen.begin(), data.frozen.end());
  const PassId pass = network.pass(request);
  FitResult result;
  MaskedSnapshot best;
  double best_loss = std::numeric_limits<double>::infinity();
  bool stopped = false;
  Index wait = 0;
  for (Index epoch = 0; epoch < max_epochs && !stopped; ++epoch) {
    result.loss.push_back(train_epoch(network, stepper, pass, data, epoch));
    result.val_loss.push_back(validation_loss(network, data));
    if (stopper == nullptr) continue;
    if (result.val_loss.back() + stopper->delta < best_loss) {
      best_loss = result.val_loss.back();
      best.capture(network);
      wait = 0;
      continue;
    }
    stopped = ++wait >= stopper->patience;
  }
  if (!best.empty() && (stopped || stopper->always_restore)) best.restore(network);
  return result;
}

}  // namespace squall::masks
