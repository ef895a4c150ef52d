// All hooks that come with squall.
#pragma once

#include "squall/core/catalog.hpp"

namespace squall {

// Adds every hook of this folder to the catalog.
void register_hooks(Catalog& catalog);

}  // namespace squall
