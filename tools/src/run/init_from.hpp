// What an experiment takes over from a trained model.
#pragma once

#include <functional>
#include <string>

#include "squall/tools/experiment.hpp"

namespace squall {

class Network;

// Parameters, masks and states that match by name and shape; slices of multi layers by the names of their tasks, so the
// network may have tasks that the model has not. `say` gets a line for what was not taken and for new tasks. Throws
// FileError or ConfigError, with "init_from" in front.
void init_from(const Experiment& experiment, Network& network, const std::function<void(const std::string&)>& say);

}  // namespace squall
