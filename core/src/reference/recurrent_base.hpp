// What recurrent reference plans share: the order of steps, sequences that end early, clocks, and all products that
// need no order. A cell adds what one step computes.
#pragma once

#include "reference/parts.hpp"
#include "squall/core/ops/linalg.hpp"
#include "squall/core/ops/recurrent.hpp"

namespace squall {

class RecurrentReference : public RecurrentPlan {
 public:
  RecurrentReference(Handler& h, const RecurrentSpec& spec);
  std::string_view kind() const override { return "reference"; }
  std::size_t workspace_bytes() const override { return workspace_.bytes(); }
  void set_workspace(void* block) override { workspace_.set(block); }

 protected:
  struct Step {
    const RecurrentRun& run;
    const RecurrentWeights& w;
    Index t = 0;                     // in time, whatever the order
    ConstTensor h_before, c_before;  // (batch, ...)
    Tensor off;                      // clocked: not 0 where a unit keeps its state; empty at the first step of all
  };

  // From the input products in gate() to row 1 + t of h (and c). Clocks and ends are left to the base.
  virtual void step_forward(const Step& s) = 0;
  // From the delta dh of the state after the step, and dc() after it, to gate_delta() of the step, dc() before it, and
  // what reaches h_before past the recurrent weights, which is added to `flow`.
  virtual void step_backward(const Step& s, const Tensor& dh, const Tensor& flow) = 0;
  // Gradients of parameters that only this cell has. `dh` holds the whole delta of every state by now.
  virtual void more_gradients(const RecurrentRun&, const Tensor& /*dh*/, const RecurrentGradients&) {}

  void do_forward(const RecurrentRun& run, const RecurrentWeights& w) final;
  void do_backward(const RecurrentRun& run, const RecurrentWeights& w, const RecurrentDeltas& d,
                   const RecurrentGradients& g) final;

  ElementwiseOps& elementwise() const { return h_.elementwise(); }
  Tensor gate(const RecurrentRun& run, int g) const;  // (time, batch, size)
  Tensor gate_delta(int g) const { return workspace_[deltas_[static_cast<std::size_t>(g)]]; }
  Tensor dc() const { return workspace_[dc_]; }         // (batch, size)
  ConstTensor c_before(const RecurrentRun& run) const;  // of all steps, in time; after the steps were walked
  int keep_in_inference(const Shape& shape) { return spec().training ? -1 : workspace_.book(h_.dtype(), shape); }
  Tensor kept(const Tensor& given, int part) const { return given || part < 0 ? given : workspace_[part]; }

  Handler& h_;
  Parts workspace_;

 private:
  bool ends_differ() const { return spec().lengths; }
  bool last_in_order(Index t) const { return t == (spec().reverse ? 0 : spec().time - 1); }
  RecurrentRun shaped(const RecurrentRun& run) const;
  void find_ends(const RecurrentRun& run);
  Step step(const RecurrentRun& run, const RecurrentWeights& w, Index order);
  ConstTensor before(const Tensor& rows, int part, Index t);
  ConstTensor all_before(const Tensor& rows, int part) const;
  Tensor clock(const RecurrentRun& run, const RecurrentWeights& w, Index t);
  void input_product(const RecurrentRun& run, const RecurrentWeights& w, int g);
  void hide_behind_ends(const Tensor& rows, Index t);
  void take_last(const Tensor& rows, const Tensor& last);
  void add_last(const ConstTensor& last, Index t, const Tensor& delta);
  void walk_back(const Step& s, const RecurrentDeltas& d);
  void pass_on(const Step& s, const Tensor& dh);
  void gradients(const RecurrentRun& run, const RecurrentWeights& w, const RecurrentDeltas& d,
                 const RecurrentGradients& g);
  bool nothing(const RecurrentDeltas& d, const RecurrentGradients& g);

  std::array<int, 4> gates_{-1, -1, -1, -1}, deltas_{-1, -1, -1, -1};
  int dc_ = -1, dc_kept_ = -1, dh0_ = -1, dc0_ = -1, flow_ = -1, off_ = -1, off_row_ = -1;
  int h_before_ = -1, c_before_ = -1, length_ = -1, inside_ = -1, at_end_ = -1;
};

std::unique_ptr<RecurrentPlan> make_simple_reference(Handler& handler, const RecurrentSpec& spec);
std::unique_ptr<RecurrentPlan> make_lstm_reference(Handler& handler, const RecurrentSpec& spec);
std::unique_ptr<RecurrentPlan> make_gru_reference(Handler& handler, const RecurrentSpec& spec);

}  // namespace squall
