// What the trainer knows of one task: where its data goes in, what is its loss, what is scored.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "squall/training/scorer.hpp"

namespace squall {

struct Task {
  std::string name = "default";
  std::string input = "default";  // Input outputs
  std::string targets = "targets";
  std::string loss;    // Loss layer
  std::string output;  // "Layer.output" that is scored; may be empty
  std::vector<std::shared_ptr<const Scorer>> scorers;
};

// Fills `loss` and `output` where they are empty: the Loss layer reached from `input` (by name when there are several),
// and the `predictions` (or `probabilities`) of the criterion before it. Throws ConfigError when that is not unique.
void complete_task(Task& task, const class Graph& graph);

}  // namespace squall
