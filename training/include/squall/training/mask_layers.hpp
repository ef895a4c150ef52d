// Networks with other layers: those that can be masked in place of those that cannot, and back.
#pragma once

#include "squall/core/network.hpp"

namespace squall {

// Dense -> MaskedDense, MultiConv2D -> MultiMaskedConv2D, ...: every layer of which there is a masked kind. Options go
// along; throws ConfigError where the masked kind does not have one of them, or when there is nothing to convert.
Architecture with_masked_layers(const Architecture& architecture, const Catalog& catalog);
Architecture without_masked_layers(const Architecture& architecture, const Catalog& catalog);

// The same with parameters and states: effective values go along bit for bit, so outputs stay as they are. Masks are
// gone after remove_masks; after add_masks everything is kept.
std::unique_ptr<Network> add_masks(const Network& network);
std::unique_ptr<Network> remove_masks(const Network& network);

}  // namespace squall
