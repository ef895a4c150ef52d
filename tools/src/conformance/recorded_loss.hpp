// RecordedLoss: the losses of recorded training runs, mean over the batch; for replaying recordings.
#pragma once

#include "squall/core/catalog.hpp"

namespace squall::conformance {

void register_recorded_loss(Catalog& catalog);

}  // namespace squall::conformance
