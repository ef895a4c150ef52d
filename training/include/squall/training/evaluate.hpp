// Losses and scores of tasks over a whole iterator, without training.
#pragma once

#include <functional>
#include <span>

#include "squall/core/network.hpp"
#include "squall/training/data_iterator.hpp"
#include "squall/training/task.hpp"

namespace squall {

// By task: "loss" (sum of batch losses times batch size over sum of sizes) and each scorer's score. Side losses come
// last, together, as a task without a name whose values are named after their layers.
struct TaskScores {
  std::string task;
  std::vector<std::pair<std::string, double>> values;
  double get(std::string_view name) const;  // NaN if there is none
};

// Every task's data must be among the iterator's fields. `should_stop` is asked between batches.
std::vector<TaskScores> evaluate(Network& network, DataIterator& data, std::span<const Task> tasks,
                                 const std::function<bool()>& should_stop = {});

// The same as paths and values: "total_loss", "TASK.loss", "TASK.SCORE", for one task also "loss" and "SCORE", and side
// losses by the name of their layer.
std::vector<std::pair<std::string, double>> score_paths(std::span<const TaskScores> scores);

}  // namespace squall
