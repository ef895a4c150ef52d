// Networks wired at random, for properties that must hold for every graph.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "squall/core/network.hpp"

namespace squall::testing {

// The same network for the same seed: smooth layers on Input (T, B, n) in chains, branches and joins, with sources read
// twice, several sources of one input, parameters read by losses, outputs nobody reads, and one to three losses.
Architecture random_architecture(std::uint64_t seed);

// Checks such a network on a handler in double precision: backward against differences along random directions, memory
// modes, poison and sentinels, and the same bits twice. One line for everything that does not hold.
std::vector<std::string> check_random_graph(std::uint64_t seed, const Catalog& catalog,
                                            const std::shared_ptr<Handler>& handler);

}  // namespace squall::testing
