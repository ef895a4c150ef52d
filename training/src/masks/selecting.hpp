// One selection of masks from beginning to end: sparsities, scores, choice, commit, packing.
#pragma once

#include "masks/rules.hpp"
#include "squall/training/mask_memory.hpp"

namespace squall::masks {

// Tasks in the order in which they choose, losses filled in.
std::vector<Task> in_order(std::span<const Task> tasks, const Rsn2Options& options, const Graph& graph);

struct Selecting {
  Network& network;
  const Rules& rules;
  std::span<const Task> tasks;  // as the targets count them
  DataIterator* data = nullptr;
  std::uint64_t seed = 0;
  bool rescale = false, pack = true;
  MaskMemory* memory = nullptr;
};

// Throws ConfigError before anything is changed. Adds what should be known to `warnings`.
void select(const Selecting& how, std::vector<Target>& targets, std::vector<std::string>& warnings);

}  // namespace squall::masks
