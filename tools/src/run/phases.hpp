// An experiment as a list of phases: which tasks, which stage's options, whether masks are made before.
#pragma once

#include "squall/tools/experiment.hpp"

namespace squall {

struct Phase {
  std::size_t stage = 0;
  std::vector<std::string> tasks;
  std::vector<std::string> mask;  // tasks that get masks before this phase
  bool rescale = false;           // of initial weights, with those masks
  bool with_hooks = true;         // false: dense warm-up of a fixed number of epochs
  Index epochs = 0;               // at most; 0: hooks stop
};

std::vector<Phase> make_phases(const Experiment& experiment);

}  // namespace squall
