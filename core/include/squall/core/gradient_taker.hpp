// Takes the gradient of a parameter piece by piece while a plan makes it, so that weights are updated in the pass that
// finds their gradients and these are never written out.
#pragma once

#include "squall/core/tensor.hpp"

namespace squall {

class GradientTaker {
 public:
  static constexpr Index kLargest = 16384;  // elements of a piece: the work of one thread

  virtual ~GradientTaker() = default;
  // The elements first .. of the parameter, row by row, have this gradient; each comes once. Called by the plan's
  // threads, several at a time with different pieces; nothing may read the parameter's old values any more.
  virtual void take(Index first, const ConstTensor& gradient) = 0;

  void begin() { complete_ = false; }
  // Said by the plan once all elements have been taken; the sink's tensor holds nothing then.
  void finish() { complete_ = true; }
  bool complete() const { return complete_; }

 private:
  bool complete_ = false;
};

}  // namespace squall
