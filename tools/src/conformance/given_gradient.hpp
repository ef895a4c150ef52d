// GivenGradient: a loss whose derivative is given, sum of default times gradient; for replaying recordings.
#pragma once

#include "squall/core/catalog.hpp"

namespace squall::conformance {

void register_given_gradient(Catalog& catalog);

}  // namespace squall::conformance
