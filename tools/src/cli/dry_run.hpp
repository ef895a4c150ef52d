// What a run would be, without data: shapes, parameters, memory plan, cost per step.
#pragma once

#include "cli/context.hpp"
#include "squall/core/network.hpp"
#include "squall/tools/experiment.hpp"

namespace squall::cli {

int dry_run(const Experiment& experiment, const Context& context);

// Layers with shapes and parameters, as text and JSON.
std::string network_table(const Network& network);
json network_json(const Network& network);

}  // namespace squall::cli
