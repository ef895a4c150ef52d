// Training and pruning in one call: as sparse as a measurement allows (ActiveSparsification does it).
#pragma once

#include "squall/training/mask_report.hpp"
#include "squall/training/trainer.hpp"

namespace squall {

struct TrainModelOptions {
  double cutoff = 0;      // pruning goes on while the measurement reaches this
  json measure = "auto";  // as in ActiveSparsification
  Index max_epochs = 100;
  double starting_sparsification = 0, max_sparsification = 99, sparsification_rate = 5;
  Index sparsification_patience = 10, stopping_patience = 5;
  double stopping_delta = 0.01;
  json stepper = {{"@type", "Adam"}};
  json selection = json::object();  // options of ActiveSparsification: score, eligible, quota, ...
  std::string compat;
  TrainingObserver* observer = nullptr;
};

struct TrainedModel {
  double sparsity = 0;  // percent, that of the masks in force
  Logs logs;
  Index epochs = 0;
  MaskReport masks;
};

// `validation` may be null: then measurements are those of training.
TrainedModel train_model(Network& network, const std::vector<Task>& tasks, DataIterator& training,
                         DataIterator* validation, const TrainModelOptions& options);

}  // namespace squall
