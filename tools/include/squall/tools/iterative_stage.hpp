// The section `iterative` of a stage: tasks one after another, each pruned step by step while its loss allows.
#pragma once

#include "squall/tools/experiment.hpp"
#include "squall/training/train_iteratively.hpp"

namespace squall {

struct IterativeStage {
  json starting_pruning = 0, pruning_rate = 10;  // a number, or one for each task
  double max_pruning = IterativeOptions().max_pruning, delta = IterativeOptions().delta;
  Index patience = IterativeOptions().patience;
  json score = IterativeOptions().score;
  Quota quota = IterativeOptions().quota;
  std::string compat;
  static constexpr auto fields = std::tuple{
      field("starting_pruning", &IterativeStage::starting_pruning,
            "percent pruned at first, a number or one for each task; more where later tasks need room"),
      field("pruning_rate", &IterativeStage::pruning_rate, "percent more each rung, a number or one for each task"),
      field("max_pruning", &IterativeStage::max_pruning, "percent where the ladder ends"),
      field("delta", &IterativeStage::delta, "how much of the dense task's validation loss a rung may lose"),
      field("patience", &IterativeStage::patience, "epochs for each rung to come back, and of early stopping"),
      field("score", &IterativeStage::score, "what ranks weights, as in sparsify"),
      field("quota", &IterativeStage::quota, "share counted per output unit, per tensor, per layer or global"),
      field("compat", &IterativeStage::compat, "\"beyondml\": the original's ladder and selection, literally")};
};

// Adds a problem for each value that can never be right, and for what a stage of this kind cannot have beside it.
void check_iterative(const StageOptions& stage, bool sparsifies, std::string_view where, const Catalog& catalog,
                     Problems& problems);
// The options for this stage, which has the section.
IterativeOptions iterative_options(const StageOptions& stage);

}  // namespace squall
