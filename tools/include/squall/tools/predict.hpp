// Predictions of tasks: for examples of one task, and for batches whose rows belong to different tasks.
#pragma once

#include <span>

#include "squall/core/network.hpp"
#include "squall/training/task.hpp"

namespace squall {

// The output of a task for examples (T, N, ...): (T, N, ...), or (1, N, ...) where the output has no time.
HostArray predict(Network& network, const Task& task, const HostArray& examples);

struct MixedPredictions {
  std::vector<std::vector<Index>> rows;  // of each task: which examples are its own, ascending
  std::vector<HostArray> outputs;        // of each task: (T, its rows, ...); empty without rows
  // One array (T, N, ...) in the order of the examples. Throws ShapeError where tasks give different shapes.
  HostArray together() const;
};

// Which examples belong to each of `tasks` tasks. Throws DataError naming the first number that is none.
std::vector<std::vector<Index>> rows_of_tasks(std::span<const Index> task_of_row, std::size_t tasks);
// One call for all: rows are grouped by task, each group is one run of its task's weights. What a row gets does not
// depend on where it stands among the others, and equals what predict() gives for the rows of its task.
// `task_of_row`: the place in `tasks` of each of the N examples.
MixedPredictions predict_mixed(Network& network, std::span<const Task> tasks, const HostArray& examples,
                               std::span<const Index> task_of_row);

}  // namespace squall
