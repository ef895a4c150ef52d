// A catalog with everything squall has: layers, steppers, hooks, scorers, initializers, modifiers, schedules, readers.
#pragma once

#include "squall/core/catalog.hpp"

namespace squall {

Catalog make_catalog();

}  // namespace squall
