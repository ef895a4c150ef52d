// One direction of one layer of recurrent units, or a cell: its parameters, named as PyTorch names them, and what its
// plan keeps for backward.
#pragma once

#include <string>

#include "squall/core/contexts.hpp"
#include "squall/core/ops/recurrent.hpp"

namespace squall {

struct DirectionWanted {
  Cell cell = Cell::Simple;
  Index in = 0, units = 0, projection = 0;
  Activation activation = Activation::Tanh;
  bool bias = true, reverse = false, lengths = false;
  Index state() const { return projection > 0 ? projection : units; }
};

class RecurrentDirection {
 public:
  // Names of parameters and internals end with `suffix`. `steps` is the shape of the steps, whatever its features.
  void declare(Declare& d, const DirectionWanted& wanted, const std::string& suffix, const BufferShape& steps);
  void prepare(Prepare& p, Index time, Index batch) const;
  // The run needs all but what this direction keeps itself.
  void forward(Forward& f, RecurrentRun run) const;
  void backward(Backward& b, RecurrentRun run, const RecurrentDeltas& d) const;
  const DirectionWanted& wanted() const { return wanted_; }

 private:
  void keep(const Pass& pass, RecurrentRun& run) const;
  RecurrentWeights weights(const Pass& pass) const;
  RecurrentGradients gradients(const Backward& b) const;

  DirectionWanted wanted_;
  Param input_, recurrent_, input_bias_, recurrent_bias_, projection_;
  std::array<Internal, 4> gates_;
  Internal cell_output_, units_;
  PlanSlot<RecurrentPlan> plan_;
};

// Throws DataError unless each of `lengths` (batch) is 1 .. time. Waits for the device.
void check_lengths(Handler& handler, const ConstTensor& lengths, Index time);

}  // namespace squall
