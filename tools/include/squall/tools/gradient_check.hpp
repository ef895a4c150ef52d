// Gradients of a whole network against finite differences along random directions of all its parameters.
#pragma once

#include "squall/core/network.hpp"

namespace squall {

struct GradientCheck {
  int directions = 0, skipped = 0;  // skipped: at a kink (one-sided differences disagree)
  double worst = 0;                 // relative error
  bool passed = false;
};

// Needs a handler of dtype F64 and a network whose data has been provided. Dropout is held fixed.
GradientCheck check_gradients(Network& network, int directions, std::uint64_t seed, double tolerance = 1e-6);

}  // namespace squall
