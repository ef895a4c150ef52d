// More tasks for a network that is trained: a network of more tasks takes over what a smaller one has, and the new
// tasks find the weights that nobody owns.
#pragma once

#include <string>
#include <vector>

#include "squall/core/network.hpp"

namespace squall {

struct TakenTasks {
  std::vector<std::string> parameters, states;  // a line for each that was not taken over
  std::vector<std::string> added;               // tasks of multi layers that `from` does not have
};

// Whether a layer of both has other tasks, or the same in another order, so that slices must be found by name.
bool tasks_differ(const Architecture& from, const Graph& into);

// Layer by layer: values, masks, what tasks read of each other, and states. Slices of multi layers go by the names of
// their tasks; those of new tasks keep the values they have and wait for their masks (Rsn2 gives them free weights).
// What `from` computes for its tasks, `into` computes, bit for bit. Throws ConfigError when `from` has a task that
// `into` has not, before anything is changed.
TakenTasks take_tasks(const Network& from, Network& into);

}  // namespace squall
