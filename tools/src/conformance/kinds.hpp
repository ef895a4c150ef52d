// One function per kind of recording.
#pragma once

#include "conformance/compare.hpp"
#include "squall/core/network.hpp"
#include "squall/io/h5_file.hpp"

namespace squall::conformance {

// brainstorm: one network, one forward and one backward pass.
void replay_pass(const H5Reader& file, const Catalog& catalog, const std::shared_ptr<Handler>& handler, Comparison& c);
// brainstorm: a training run.
void replay_training(const H5Reader& file, const Catalog& catalog, const std::shared_ptr<Handler>& handler,
                     Comparison& c);

// BeyondML: one layer. numpy-ml: one layer. PyTorch: torch_modules.hpp.
void replay_beyondml_layer(const H5Reader& file, const std::shared_ptr<Handler>& handler, Comparison& c);
void replay_numpy_layer(const H5Reader& file, const std::shared_ptr<Handler>& handler, Comparison& c);

// The file's architecture as a network with every buffer in a place of its own and deltas of its inputs.
std::unique_ptr<Network> recorded_network(const H5Reader& file, const Catalog& catalog,
                                          const std::shared_ptr<Handler>& handler);
// A parameter or state by the name brainstorm gives it; empty if there is none.
HostArray value_of(const Network& network, const std::string& layer, const std::string& name);

}  // namespace squall::conformance
