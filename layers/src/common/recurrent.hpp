// What the recurrent layers share: x (T, B, features...) flattened to (T, B, in), one output with a row of context.
#pragma once

#include "squall/core/contexts.hpp"
#include "squall/core/ops/recurrent.hpp"

namespace squall {

struct RecurrentOptions {
  std::optional<Index> size;
  Activation activation = Activation::Tanh;
  static constexpr auto fields =
      std::tuple{field("size", &RecurrentOptions::size, "number of units; without it as many as inputs"),
                 field("activation", &RecurrentOptions::activation,
                       "rel, tanh, sigmoid, el or linear; the gates of an LSTM are always sigmoids")};
};

// Number of units after the options were checked.
Index recurrent_units(const Declare& d, const RecurrentOptions& options, In x);
RecurrentSpec recurrent_spec(const Prepare& p, In x, Cell cell, Index units, Activation activation);
// Throws ConfigError when a period is not above 0. Waits for the device.
void check_periods(Handler& handler, const ConstTensor& timing);
// A gradient that is always zero.
void no_gradient(Handler& handler, const Sink& sink);

// One layer of simple units: Recurrent and Clockwork.
struct SimpleUnits {
  In x;
  Out y;
  Param W, R, bias, timing;
  PlanSlot<RecurrentPlan> plan;
  Index units = 0;
  Activation activation = Activation::Tanh;
  bool clockwork = false;

  void declare(Declare& d, const RecurrentOptions& options, bool clocked);
  void prepare(Prepare& p) const;
  void forward(Forward& f) const;
  void backward(Backward& b) const;

 private:
  RecurrentWeights weights(const Pass& pass) const;
};

// An LSTM: Lstm and ClockworkLstm with one tensor per gate, LstmOpt with one for all and without peepholes.
struct LstmUnits {
  enum class Kind : std::uint8_t { Plain, Clockwork, Fused };
  In x;
  Out y;
  std::array<Param, 4> W, R, b;  // Fused: the first stands for all
  std::array<Param, 3> p;
  Param timing;
  std::array<Internal, 4> gates;
  Internal Ca, Cb;
  PlanSlot<RecurrentPlan> plan;
  Index units = 0;
  Activation activation = Activation::Tanh;
  Kind kind = Kind::Plain;

  void declare(Declare& d, const RecurrentOptions& options, Kind which);
  void prepare(Prepare& p) const;
  void forward(Forward& f) const;
  void backward(Backward& b) const;

 private:
  void declare_separate(Declare& d);
  void declare_fused(Declare& d);
  RecurrentWeights weights(const Pass& pass) const;
  RecurrentGradients gradients(const Backward& b) const;
  RecurrentRun run(const Pass& pass, const ConstTensor& x, const Tensor& h) const;
};

}  // namespace squall
