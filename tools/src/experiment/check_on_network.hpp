// What of an experiment can only be judged together with its network.
#pragma once

#include "squall/tools/experiment.hpp"

namespace squall {

// Layers that do not fit, patterns that match nothing, tasks without a loss, scorers, groups of steppers: everything is
// reported. Fills the loss and the output of the tasks. No memory of the network's size is taken.
void check_on_network(Experiment& experiment, const Catalog& catalog, Problems& problems);

}  // namespace squall
