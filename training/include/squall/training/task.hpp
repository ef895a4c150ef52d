// What the trainer knows of one task: where its data goes in, what is its loss, what is scored.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "squall/training/scorer.hpp"

namespace squall {

class Graph;

struct Task {
  std::string name = "default";
  std::string input = "default";  // Input outputs
  std::string targets = "targets";
  std::string loss;    // Loss layer
  std::string output;  // "Layer.output" that is scored; may be empty
  std::string mask;    // Input output that says which steps count, (T, B, 1); may be empty
  std::vector<std::shared_ptr<const Scorer>> scorers;
};

// Fills `loss` and `output` where they are empty: the Loss layer reached from `input` (by name when there are several),
// and the `predictions` (or `probabilities`) of the criterion before it. Throws ConfigError when that is not unique.
void complete_task(Task& task, const Graph& graph);

// Loss layers that belong to no task but need no other data than the tasks do (decay of weights or activations): they
// are trained along.
std::vector<std::string> side_losses(std::span<const Task> tasks, const Graph& graph);

// What a pass for these tasks computes: their losses, side losses and, if `scores`, the outputs that are scored. Empty
// for no tasks, which means everything.
std::vector<std::string> task_heads(std::span<const Task> tasks, const Graph& graph, bool scores = true);

// Input outputs that computing these heads needs (all that are read, for no heads).
std::vector<std::string> needed_inputs(const std::vector<std::string>& heads, const Graph& graph);

}  // namespace squall
