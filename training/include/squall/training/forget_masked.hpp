// What an update rule remembers of weights that a mask has taken away.
#pragma once

#include "squall/training/stepper.hpp"

namespace squall {

// State of masked weights starts anew, so that nothing old moves them when their mask opens again. The layout of the
// parameters must be that of the stepper's start.
void forget_masked(Stepper& stepper, const Network& network);

}  // namespace squall
