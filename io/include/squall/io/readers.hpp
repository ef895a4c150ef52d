// All readers of data sets that come with squall.
#pragma once

#include "squall/core/catalog.hpp"

namespace squall {

// Adds every reader of this folder to the catalog's family "reader".
void register_readers(Catalog& catalog);

}  // namespace squall
