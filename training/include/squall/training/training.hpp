// Everything of this folder that has an @type.
#pragma once

#include "squall/core/catalog.hpp"

namespace squall {

// Adds steppers, schedules, scorers, initializers, modifiers and iterators to the catalog.
void register_training(Catalog& catalog);

}  // namespace squall
