// What a network computes on the way, for every example of a data set.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "squall/core/network.hpp"
#include "squall/training/data_iterator.hpp"

namespace squall {

// Runs the network over one pass of `data`, in evaluation mode, and gives each buffer ("Layer.outputs.default",
// "Layer.internals.Ha", "Input.outputs.x", "Layer.parameters.W") once: (T, N, ...), parameters as they are. Only what
// the buffers need is computed, so inputs that they do not depend on may be missing. The network should have been made
// with MemoryMode::Inspectable. Throws ConfigError for paths that do not exist, with the choices.
std::map<std::string, HostArray> extract(Network& network, DataIterator& data, const std::vector<std::string>& buffers);
// The same into a file, batch by batch: one dataset per buffer, named by its path, that can grow along N. Gives the
// number of examples.
Index extract_and_save(Network& network, DataIterator& data, const std::vector<std::string>& buffers,
                       const std::filesystem::path& file);

}  // namespace squall
