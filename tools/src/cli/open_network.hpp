// A network from whatever a user names: a model, an experiment, the JSON of a network (or a spec) alone, in a file or
// as it stands.
#pragma once

#include "cli/context.hpp"
#include "squall/core/network.hpp"

namespace squall::cli {

// Parameters are those of a model; of JSON they are initialised with small numbers so that it can be run.
std::unique_ptr<Network> open_network(const std::filesystem::path& path, const Context& context,
                                      std::shared_ptr<Handler> handler, const NetworkOptions& options = {});

}  // namespace squall::cli
