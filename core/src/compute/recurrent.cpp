#include "squall/core/ops/recurrent.hpp"

#include "compute/checks.hpp"
#include "reference/reference.hpp"

namespace squall {

namespace {

std::size_t at(int i) { return static_cast<std::size_t>(i); }

void check_spec(const RecurrentSpec& s) {
  checks::extent("recurrent", "number of steps", s.time);
  checks::extent("recurrent", "number of sequences", s.batch);
  checks::extent("recurrent", "number of inputs", s.in);
  checks::extent("recurrent", "number of units", s.size);
  checks::extent("recurrent", "width of the projection", s.projection);
  const bool lstm = s.cell == Cell::Lstm;
  SQUALL_CHECK(s.activation != Activation::Softmax, "recurrent: softmax cannot be the activation of a recurrent unit");
  SQUALL_CHECK(lstm || s.projection == 0, "recurrent: only an LSTM has a projection");
  SQUALL_CHECK(lstm || !s.peepholes, "recurrent: only an LSTM has peepholes");
  SQUALL_CHECK(s.cell != Cell::Gru || !s.clockwork, "recurrent: a GRU has no clock");
  SQUALL_CHECK(!s.clockwork || s.projection == 0, "recurrent: clocked units have no projection");
  SQUALL_CHECK(!s.clockwork || (!s.reverse && !s.lengths), "recurrent: clocked units run forward over whole sequences");
}

// Gates, cells and what leaves them: needed where backward will read them.
void check_kept(std::string_view op, const RecurrentSpec& s, const RecurrentRun& r, bool needed) {
  const DType t = r.h.dtype();
  const auto check = [&](std::string_view what, const Tensor& x) {
    if (needed)
      checks::operand(op, what, x, {s.time, s.batch, s.size}, t);
    else
      checks::optional(op, what, x, {s.time, s.batch, s.size}, t);
  };
  const int kept = s.cell == Cell::Gru ? 4 : s.cell == Cell::Lstm ? 4 : 0;  // a simple unit's gate is its h
  for (int g = 0; g < kept; ++g) check("gate", r.gates[at(g)]);
  if (s.cell == Cell::Lstm) check("cell_output", r.cell_output);
  if (s.projection > 0) check("units", r.units);
}

void check_run(std::string_view op, const RecurrentSpec& s, const RecurrentRun& r, bool backward) {
  const DType t = r.h.dtype();
  checks::operand(op, "h", r.h, {s.time + 1, s.batch, s.state()}, t);
  checks::operand(op, "x", r.x, {s.time, s.batch, s.in}, t);
  if (s.cell == Cell::Lstm) checks::operand(op, "c", r.c, {s.time + 1, s.batch, s.size}, t);
  check_kept(op, s, r, backward);
  checks::optional(op, "h_last", r.h_last, {s.batch, s.state()}, t);
  checks::optional(op, "c_last", r.c_last, {s.batch, s.size}, t);
  if (s.lengths) checks::operand(op, "lengths", r.lengths, {s.batch}, DType::I32);
}

void check_weights(std::string_view op, const RecurrentSpec& s, const RecurrentWeights& w, DType t) {
  for (int g = 0; g < gate_count(s.cell); ++g) {
    checks::operand(op, "input weights", w.input[at(g)], {s.size, s.in}, t);
    checks::operand(op, "recurrent weights", w.recurrent[at(g)], {s.size, s.state()}, t);
    if (s.bias) checks::operand(op, "bias", w.bias[at(g)], {s.size}, t);
    if (s.recurrent_bias) checks::operand(op, "recurrent bias", w.recurrent_bias[at(g)], {s.size}, t);
  }
  if (s.peepholes)
    for (const auto& p : w.peephole) checks::operand(op, "peephole weights", p, {s.size}, t);
  if (s.projection > 0) checks::operand(op, "projection", w.projection, {s.projection, s.size}, t);
  if (s.clockwork) checks::operand(op, "timing", w.timing, {s.size}, t);
}

void check_gradients(const RecurrentSpec& s, const RecurrentGradients& g, DType t) {
  constexpr std::string_view op = "recurrent backward";
  for (std::size_t k = 0; k < 4; ++k) {
    checks::optional(op, "gradient of input weights", g.input[k].to, {s.size, s.in}, t);
    checks::optional(op, "gradient of recurrent weights", g.recurrent[k].to, {s.size, s.state()}, t);
    checks::optional(op, "gradient of the bias", g.bias[k].to, {s.size}, t);
    checks::optional(op, "gradient of the recurrent bias", g.recurrent_bias[k].to, {s.size}, t);
  }
  for (const auto& p : g.peephole) checks::optional(op, "gradient of peephole weights", p.to, {s.size}, t);
  checks::optional(op, "gradient of the projection", g.projection.to, {s.projection, s.size}, t);
}

}  // namespace

void RecurrentPlan::forward(const RecurrentRun& run, const RecurrentWeights& w) {
  check_run("recurrent forward", spec_, run, spec_.training);
  check_weights("recurrent forward", spec_, w, run.h.dtype());
  if (run.h.elements() == 0) return;
  do_forward(run, w);
  guard("recurrent forward", run.h);
}

void RecurrentPlan::backward(const RecurrentRun& run, const RecurrentWeights& w, const RecurrentDeltas& d,
                             const RecurrentGradients& g) {
  constexpr std::string_view op = "recurrent backward";
  const RecurrentSpec& s = spec_;
  const DType t = run.h.dtype();
  SQUALL_CHECK(s.training, "recurrent backward: the plan was made for inference");
  check_run(op, s, run, true);
  check_weights(op, s, w, t);
  checks::operand(op, "dh", d.dh, {s.time, s.batch, s.state()}, t);
  checks::optional(op, "dh_last", d.dh_last, {s.batch, s.state()}, t);
  checks::optional(op, "dc_last", d.dc_last, {s.batch, s.size}, t);
  checks::optional(op, "dx", d.dx.to, {s.time, s.batch, s.in}, t);
  checks::optional(op, "dh_first", d.dh_first.to, {s.batch, s.state()}, t);
  checks::optional(op, "dc_first", d.dc_first.to, {s.batch, s.size}, t);
  check_gradients(s, g, t);
  do_backward(run, w, d, g);
  guard("recurrent backward: dx", d.dx.to);
  for (std::size_t k = 0; k < 4; ++k) {
    guard("recurrent backward: gradient of input weights", g.input[k].to);
    guard("recurrent backward: gradient of recurrent weights", g.recurrent[k].to);
    guard("recurrent backward: gradient of the bias", g.bias[k].to);
  }
}

std::unique_ptr<RecurrentPlan> RecurrentOps::plan(const RecurrentSpec& spec) {
  check_spec(spec);
  const bool nothing = spec.time == 0 || spec.batch == 0 || spec.in == 0 || spec.size == 0;
  auto made = nothing ? nullptr : do_plan(spec);
  if (!made) return reference(spec);
  made->set_guard(op_guard());
  return made;
}

std::unique_ptr<RecurrentPlan> RecurrentOps::reference(const RecurrentSpec& spec) {
  check_spec(spec);
  auto made = make_recurrent_reference(handler(), spec);
  made->set_guard(op_guard());
  return made;
}

}  // namespace squall
