// Recurrent layers over whole sequences: simple units, LSTM (Hochreiter & Schmidhuber 1997; peepholes: Gers &
// Schmidhuber 2000) and GRU (Cho et al. 2014, reset after the product), with clocked units (Koutnik et al. 2014).
#pragma once

#include <array>

#include "squall/core/activation.hpp"
#include "squall/core/handler.hpp"

namespace squall {

enum class Cell : std::uint8_t { Simple, Lstm, Gru };

// Order of gates in every array below. Simple: one. Lstm: z (block input), i, f, o. Gru: r, z, n.
constexpr int gate_count(Cell cell) { return cell == Cell::Simple ? 1 : cell == Cell::Lstm ? 4 : 3; }

struct RecurrentSpec {
  Cell cell = Cell::Simple;
  Index time = 0, batch = 0, in = 0;
  Index size = 0;        // units
  Index projection = 0;  // Lstm: width of h where it is a product of the units' outputs; 0: there is none
  Activation activation = Activation::Tanh;  // of candidates and (Lstm) of what leaves the cell; gates are sigmoids
  bool bias = true;
  bool recurrent_bias = false;  // a second bias, added to the recurrent product; of a GRU's n inside its reset
  bool peepholes = false;       // Lstm: i and f see the cell before, o the cell now
  bool clockwork = false;       // units keep their state at steps that their period does not divide (Simple and Lstm)
  bool reverse = false;         // from the last step to the first
  bool lengths = false;         // sequences may be shorter than `time`; h is 0 behind their end
  bool training = false;
  Index state() const { return projection > 0 ? projection : size; }  // width of h
};

struct RecurrentWeights {
  std::array<ConstTensor, 4> input;                 // (size, in) of each gate
  std::array<ConstTensor, 4> recurrent;             // (size, state)
  std::array<ConstTensor, 4> bias, recurrent_bias;  // (size)
  std::array<ConstTensor, 3> peephole;              // (size) of i, f, o
  ConstTensor projection;                           // (projection, size)
  ConstTensor timing;                               // (size): periods in steps
};
struct RecurrentGradients {
  std::array<Sink, 4> input, recurrent, bias, recurrent_bias;
  std::array<Sink, 3> peephole;
  Sink projection;
};

// What a forward pass works on and leaves for backward. Row 0 of h and c is the state before the first step (in the
// order of time, or of reversed time); row 1 + t is the state after step t.
struct RecurrentRun {
  ConstTensor x;                // (time, batch, in)
  Tensor h;                     // (1 + time, batch, state)
  Tensor c;                     // Lstm: (1 + time, batch, size)
  std::array<Tensor, 4> gates;  // (time, batch, size) after their activations; Gru: [3] is what its reset multiplies
  Tensor cell_output;           // Lstm: (time, batch, size), the activated cell
  Tensor units;                 // with a projection: (time, batch, size), what is projected
  Tensor h_last, c_last;        // optional (batch, ...): the state after the last step of each sequence
  ConstTensor lengths;          // I32 (batch), each 1 .. time
  Index first_step = 0;         // how many steps of these sequences earlier passes have seen; drives clocks
};

struct RecurrentDeltas {
  Tensor dh;                     // (time, batch, state) of every h after its step; may be destroyed
  ConstTensor dh_last, dc_last;  // optional (batch, ...): of h_last and c_last
  Sink dx;                       // (time, batch, in)
  Sink dh_first, dc_first;       // (batch, ...): of row 0 of h and c
};

// Operands that are absent or of another shape or type than the spec says throw ShapeError before anything is computed
// (the numbers in `lengths` are not looked at); a debug handler throws NumericError when a result is not finite.
class RecurrentPlan : public Plan {
 public:
  explicit RecurrentPlan(const RecurrentSpec& spec) : spec_(spec) {}
  const RecurrentSpec& spec() const { return spec_; }
  // Reads row 0 of h and c, writes all else of the run. Gates, cell_output and units may be empty in inference.
  void forward(const RecurrentRun& run, const RecurrentWeights& w);
  // Throws ShapeError for a plan whose spec does not say `training`.
  // Changes nothing in the run: it may be called twice. Empty sinks are not computed. No gradient goes to timing.
  void backward(const RecurrentRun& run, const RecurrentWeights& w, const RecurrentDeltas& d,
                const RecurrentGradients& g);

 protected:
  virtual void do_forward(const RecurrentRun& run, const RecurrentWeights& w) = 0;
  virtual void do_backward(const RecurrentRun& run, const RecurrentWeights& w, const RecurrentDeltas& d,
                           const RecurrentGradients& g) = 0;

 private:
  RecurrentSpec spec_;
};

class RecurrentOps : public Facet {
 public:
  // Both throw ShapeError for a negative extent and for what a cell does not have (peepholes, a projection or a clock
  // where they do not belong, softmax units). Extents of 0 give a plan that computes nothing.
  std::unique_ptr<RecurrentPlan> plan(const RecurrentSpec& spec);       // the best this handler has
  std::unique_ptr<RecurrentPlan> reference(const RecurrentSpec& spec);  // elementary operations only: the oracle

 protected:
  virtual std::unique_ptr<RecurrentPlan> do_plan(const RecurrentSpec&) { return nullptr; }  // "no fast path for this"
};

}  // namespace squall
