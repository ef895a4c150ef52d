// Masks of a whole network, or of one task, chosen anew; and which weights belong to which task. Rsn2 gives masks to
// what has none; these replace masks.
#pragma once

#include "squall/training/mask_memory.hpp"
#include "squall/training/rsn2.hpp"

namespace squall {

// Options as the original's functions have them: shares per tensor, biases pruned; weights with a score of 0 are never
// kept, and where too few are left that is told and no error.
Rsn2Options mask_model_options(double percentile, const json& score = "gradients", bool exclusive = true);

struct MaskModelRun {
  DataIterator* data = nullptr;  // for scores that need it
  std::uint64_t seed = 0;
  MaskMemory* memory = nullptr;  // masks that can open again
  bool pack = true;              // into owners, where they are disjoint; false: the layout of parameters stays
};

// Chooses all masks anew, one for each tensor or slice that can be masked, in the order of slices (options.order: of
// tasks). What has a mask now counts with its masked weights as 0, unless there is a memory.
MaskReport mask_model(Network& network, std::span<const Task> tasks, const Rsn2Options& options,
                      const MaskModelRun& run = {});

// By magnitude, each tensor and slice of its own; exclusive where there are several slices. compat "beyondml": the
// original's literal rule for this.
MaskReport prune_model(Network& network, double percentile, const std::string& compat = "");

struct MaskTaskOptions {
  double percentile = 90;
  bool respect_previous = true;  // weights of other tasks are not eligible
  json score = "magnitude";
  Quota quota = Quota::Tensor;
  bool biases = true;  // prune biases, too
  std::string compat;
};
// Masks what belongs to one task, by the graph; slices and tensors of others keep their masks.
MaskReport mask_task_weights(Network& network, const Task& task, const MaskTaskOptions& options,
                             const MaskModelRun& run = {});

// A tensor (slice -1), or a slice of one, that a task's loss reaches.
struct TaskParameter {
  std::string parameter;  // "hidden_1.W"
  int slice = -1;
  friend bool operator==(const TaskParameter&, const TaskParameter&) = default;
  friend auto operator<=>(const TaskParameter&, const TaskParameter&) = default;  // NOLINT: no pointer here
};
// Of layers that can be masked, biases included: a question to the graph, before as after training.
std::vector<TaskParameter> task_parameters(const Network& network, const Task& task);
// The same by numbers, as a check: those whose gradient is not zero for this data. It can miss some, where a unit is
// dead for all of the data.
std::vector<TaskParameter> probe_task_parameters(Network& network, const Task& task, const Batch& data);

}  // namespace squall
