// All layers that come with squall.
#pragma once

#include "squall/core/catalog.hpp"

namespace squall {

// Adds every layer of this folder to the catalog.
void register_layers(Catalog& catalog);

}  // namespace squall
