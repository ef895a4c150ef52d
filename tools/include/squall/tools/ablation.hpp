// What a subnetwork is worth: scores of a model whole, under its masks, and with the subnetwork or random ones ablated.
#pragma once

#include <functional>

#include "squall/core/masks.hpp"
#include "squall/tools/experiment_data.hpp"
#include "squall/training/task.hpp"

namespace squall {

struct AblationOptions {
  std::string split = "test";
  int draws = 5;  // of the random ones; mean, least and largest are told
};

// {"whole": {TASK: scores}, "subnetwork": ..., "zero_ablate": ..., "randomly_sampled": {"draws", TASK: {"accuracy":
// {"mean", "least", "largest"}, ...}}, ...}. A mode that a mask refuses (complement_sampled of a dense one) is
// {"refused": why}. Settings of the masks are as before afterwards.
json ablation_scores(Network& network, ExperimentData& data, const std::vector<Task>& tasks,
                     const AblationOptions& options, const std::function<bool()>& stop);
std::string ablation_text(const json& scores);

}  // namespace squall
