// What a selection of masks did: densities, overlaps, shortfalls, dead units.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "squall/core/network.hpp"
#include "squall/training/task.hpp"

namespace squall {

struct TensorMaskReport {
  std::string parameter;  // "hidden_1.W"
  // Of slices; of a tensor without task axis those whose losses reach it (a Loss layer's name where no slice says
  // more).
  std::vector<std::string> tasks;
  bool sliced = false;                      // each task has a slice of its own; false: one mask for all of them
  std::vector<Index> kept;                  // per task: what it uses
  std::vector<Index> owned;                 // per task: what it writes; less where it reads weights of others
  std::vector<Index> dead_units;            // per task: output units that keep no incoming weight
  Index elements = 0;                       // of one slice
  std::vector<std::vector<Index>> overlap;  // tasks x tasks: weights used by both (diagonal: kept)
  Index owned_twice = 0;                    // by two slices or more
  Index free = 0;                           // owned by nobody
};

struct MaskReport {
  std::vector<TensorMaskReport> tensors;
  std::vector<std::string> warnings;            // shortfalls, starved units
  Index overlap() const;                        // weights owned by more than one task
  double density(std::string_view task) const;  // kept / elements over all masked tensors the task has; 1: it has none
  std::vector<std::string> tasks() const;       // in order of appearance
  json to_json() const;
  std::string text() const;  // a table for people
};

// Of the masks a network has now, in whatever form. Slices that keep everything wait for their task: they are in no
// overlap, and a task that has no others is named in the warnings. `tasks` give their names to what only their losses
// reach.
MaskReport report_masks(const Network& network, std::span<const Task> tasks = {});

}  // namespace squall
