// Losses and scores of tasks over a whole iterator, without training.
#pragma once

#include <map>
#include <span>

#include "squall/core/network.hpp"
#include "squall/training/data_iterator.hpp"
#include "squall/training/task.hpp"

namespace squall {

// By task: "loss" (sum of batch losses times batch size over sum of sizes) and each scorer's score.
struct TaskScores {
  std::string task;
  std::vector<std::pair<std::string, double>> values;
  double get(std::string_view name) const;  // NaN if there is none
};

// Every task's data must be among the iterator's fields. `should_stop` is asked between batches.
std::vector<TaskScores> evaluate(Network& network, DataIterator& data, std::span<const Task> tasks,
                                 const std::function<bool()>& should_stop = {});

}  // namespace squall
