// Tasks one after another in one network: each is trained in the weights nobody owns, pruned step by step while its
// loss allows, and then owns what is left; what earlier tasks compute never changes.
#pragma once

#include <functional>

#include "squall/core/selection.hpp"
#include "squall/training/data_iterator.hpp"
#include "squall/training/mask_report.hpp"
#include "squall/training/stepper.hpp"

namespace squall {

struct IterativeTask {
  Task task;
  DataIterator* training = nullptr;
  DataIterator* validation = nullptr;
};

struct IterativeOptions {
  json stepper = {{"@type", "Adam"}};
  std::vector<double> starting_pruning{0};  // percent: for all tasks, or one each
  std::vector<double> pruning_rate{10};     // percent more each rung
  std::vector<Index> max_epochs{100};       // of each fit
  double max_pruning = 99;
  double delta = 0.01;  // a rung may lose so much against the dense task; also what counts as improvement of a fit
  Index patience = 5;   // epochs for each rung, and of the early stopping of fits
  json score = "magnitude";
  Quota quota = Quota::Unit;
  std::string compat;  // "beyondml": the original's ladder and selection, literally
  // Told what happens: {"event": "fit", "task", "epochs_run", "max_epochs", "early_stopping", "loss", "val_loss"} and
  // {"event": "mask", "task", "percentile"}.
  std::function<void(const json&)> observer;
  // Asked after each update; when it says yes, the run ends at once and what came of the running task is lost.
  std::function<bool()> should_stop;
};

struct TaskReport {
  struct Rung {
    double percentile = 0, loss = 0;
    Index epochs = 0;
    bool accepted = false, forced = false;  // forced: sparser than its loss allows, so that later tasks have room
  };
  std::string task;
  double percentile = 0;                   // accepted
  double density = 1;                      // of the task in what can be masked
  double free = 1;                         // of the weights of slices, afterwards
  double dense_loss = 0, sparse_loss = 0;  // of validation
  Index epochs = 0;
  std::vector<Rung> rungs;
};
json to_json(const TaskReport& report);
TaskReport read_task_report(const json& j);

struct IterativeReport {
  std::vector<TaskReport> tasks;
  MaskReport masks;
  bool interrupted = false;  // by should_stop; tasks and network are as far as the running task had come
  json to_json() const;
  std::string text() const;  // a table for people
};

// Where an interrupted run goes on: the first tasks are done, and this is what came of them.
struct IterativeStart {
  std::vector<TaskReport> finished = {};
  std::function<void(const std::vector<TaskReport>&)> task_done = {};  // after each task; the network can be saved
};

// Throws ConfigError when a task has no data, or when there is no room for a task.
IterativeReport train_model_iteratively(Network& network, std::vector<IterativeTask> tasks,
                                        const IterativeOptions& options, const IterativeStart& start = {});

}  // namespace squall
