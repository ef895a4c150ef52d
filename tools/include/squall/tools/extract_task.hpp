// One task out of a network of several: the layers, inputs and slices that it needs, and nothing else.
#pragma once

#include <memory>

#include "squall/core/network.hpp"
#include "squall/training/task.hpp"

namespace squall {

// The architecture that computes these heads; multi layers keep the slots that are needed.
Architecture reduce_architecture(const Network& network, const std::vector<std::string>& heads);
// Copies what `part` has from `whole`, slice by slice; forms are kept where they make sense for the part.
void copy_parameters(const Network& whole, Network& part);
std::unique_ptr<Network> extract_task(const Network& whole, const Task& task);

}  // namespace squall
