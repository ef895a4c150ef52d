// What gets a mask: tensors, or slices of tensors with a task axis, that the losses of tasks reach. Decided by the
// graph, never by looking at numbers.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "squall/core/network.hpp"
#include "squall/training/task.hpp"

namespace squall::masks {

struct Target {
  int node = -1, slot = -1;
  int slice = -1;                  // -1: the whole tensor
  std::vector<std::size_t> tasks;  // whose losses reach it, ascending
  std::string name;                // "hidden_1.W[digits]", "head.W"
  std::string stream;              // of random scores
  Index rows = 1, columns = 0;     // output units and what comes into each; a bias is one row
  bool bias = false;
  double sparsity = 0;  // percent that is to be pruned
  Index elements() const { return rows * columns; }
};

// (node, slot) of a parameter.
using ParameterKey = std::pair<int, int>;
inline ParameterKey key_of(const Target& t) { return {t.node, t.slot}; }

// Targets by first task, then in the order of the network. Throws ConfigError when a task reaches nothing that can be
// masked, or something that is stored for inference.
std::vector<Target> find_targets(const Network& network, std::span<const Task> tasks, bool biases);
// Leaves out what already has a mask, with a warning for each.
void leave_chosen(const Network& network, std::vector<Target>& targets, std::vector<std::string>& warnings);
// Everything that can be masked, also what no loss reaches, in the order of the network; with the tasks that do.
std::vector<Target> all_targets(const Network& network, std::span<const Task> tasks, bool biases);

// Whether a mask has been chosen for this slice (-1: for the tensor): not while all of its bytes are 1.
bool is_chosen(const ParameterEntry& entry, int slice);

// Slices that wait for their task: all ones, and not among the targets that have just been masked.
std::vector<std::pair<ParameterKey, int>> waiting_slices(const Network& network, std::span<const Target> masked);

// What training this task moves although other losses depend on it, and no mask keeps apart: one warning, or none.
void warn_of_shared(const Network& network, const Task& task, std::vector<std::string>& warnings);

}  // namespace squall::masks
