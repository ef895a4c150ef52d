#include "reference/recurrent_base.hpp"

namespace squall {

namespace {

std::size_t at(int i) { return static_cast<std::size_t>(i); }

// A gate's recurrent product has a delta of its own where it is not simply added: the candidate of a GRU.
int recurrent_delta(Cell cell, int g) { return cell == Cell::Gru && g == 2 ? 3 : g; }

}  // namespace

RecurrentReference::RecurrentReference(Handler& h, const RecurrentSpec& s) : RecurrentPlan(s), h_(h) {
  const Shape whole{s.time, s.batch, s.size};
  const Shape states{s.batch, s.state()};
  const Shape units{s.batch, s.size};
  const auto book = [&](const Shape& shape) { return workspace_.book(h.dtype(), shape); };
  const bool lstm = s.cell == Cell::Lstm;
  if (s.cell != Cell::Simple)
    for (int& g : gates_) g = keep_in_inference(whole);
  if (s.reverse) {
    h_before_ = book({s.time, s.batch, s.state()});
    if (lstm) c_before_ = book(whole);
  }
  if (s.clockwork) {
    off_ = book(units);
    off_row_ = book({s.size});
  }
  if (s.lengths) {
    length_ = book({s.batch});
    inside_ = book({s.time + 1, s.batch});
    at_end_ = book({s.time, s.batch});
  }
  if (!s.training) return;
  for (int g = 0; g < (s.cell == Cell::Gru ? 4 : gate_count(s.cell)); ++g) deltas_[at(g)] = book(whole);
  flow_ = book(states);
  dh0_ = book(states);
  if (lstm) {
    dc_ = book(units);
    dc0_ = book(units);
    if (s.clockwork) dc_kept_ = book(units);
  }
}

Tensor RecurrentReference::gate(const RecurrentRun& run, int g) const {
  if (spec().cell == Cell::Simple) return run.h.slice(1, spec().time);  // its gate is its output
  return kept(run.gates[at(g)], gates_[at(g)]);
}

RecurrentRun RecurrentReference::shaped(const RecurrentRun& run) const {
  const RecurrentSpec& s = spec();
  const Shape whole{s.time, s.batch, s.size};
  RecurrentRun r = run;
  r.x = run.x.reshaped({s.time, s.batch, s.in});
  r.h = run.h.reshaped({s.time + 1, s.batch, s.state()});
  r.c = run.c.reshaped({s.time + 1, s.batch, s.size});
  for (Tensor& g : r.gates) g = g.reshaped(whole);
  r.cell_output = run.cell_output.reshaped(whole);
  r.units = run.units.reshaped(whole);
  return r;
}

// Row t of inside: 1 where a sequence has step t. Row t of at_end: 1 where step t is its last.
void RecurrentReference::find_ends(const RecurrentRun& run) {
  if (!ends_differ()) return;
  const Tensor inside = workspace_[inside_];
  elementwise().cast(run.lengths, workspace_[length_]);
  for (Index t = 0; t <= spec().time; ++t) {
    const Tensor row = inside.at(t);
    elementwise().affine(workspace_[length_], 1.0, -0.5 - static_cast<double>(t), Sink(row));
    elementwise().unary(Unary::Sign, row, Sink(row));
    elementwise().clip(row, 0.0, 1.0, Sink(row));
  }
  elementwise().binary(Binary::Subtract, inside.slice(0, spec().time), inside.slice(1, spec().time),
                       Sink(workspace_[at_end_]));
}

RecurrentReference::Step RecurrentReference::step(const RecurrentRun& run, const RecurrentWeights& w, Index order) {
  Step s{run, w, spec().reverse ? spec().time - 1 - order : order, {}, {}, {}};
  s.h_before = before(run.h, h_before_, s.t);
  if (run.c) s.c_before = before(run.c, c_before_, s.t);
  if (spec().clockwork) s.off = clock(run, w, s.t);
  return s;
}

// In reverse, sequences start where they end: each takes the first state at its last step.
ConstTensor RecurrentReference::before(const Tensor& rows, int part, Index t) {
  if (!spec().reverse) return rows.at(t);
  const Tensor to = workspace_[part].at(t);
  const bool first = t == spec().time - 1;
  h_.memory().copy(rows.at(first ? 0 : t + 2), to);
  if (ends_differ() && !first)
    h_.linalg().with_column(Binary::Multiply, rows.at(0), workspace_[at_end_].at(t), MatrixSink(to, Write::Add));
  return to;
}
ConstTensor RecurrentReference::all_before(const Tensor& rows, int part) const {
  return spec().reverse ? workspace_[part] : rows.slice(0, spec().time);
}
ConstTensor RecurrentReference::c_before(const RecurrentRun& run) const { return all_before(run.c, c_before_); }

Tensor RecurrentReference::clock(const RecurrentRun& run, const RecurrentWeights& w, Index t) {
  const Index now = run.first_step + t;
  if (now == 0) return {};
  const Tensor row = workspace_[off_row_];
  const Tensor off = workspace_[off_];
  elementwise().fill(row, static_cast<double>(now));
  elementwise().binary(Binary::Modulo, row, w.timing, Sink(row));
  elementwise().fill(off, 0.0);
  h_.linalg().with_row(Binary::Add, off, row, off);
  return off;
}

void RecurrentReference::input_product(const RecurrentRun& run, const RecurrentWeights& w, int g) {
  const Tensor z = gate(run, g);
  h_.linalg().matmul(run.x, ConstMatrix(w.input[at(g)]).T(), z);
  if (spec().bias) h_.linalg().with_row(Binary::Add, z, w.bias[at(g)], z);
  if (spec().recurrent_bias && recurrent_delta(spec().cell, g) == g)
    h_.linalg().with_row(Binary::Add, z, w.recurrent_bias[at(g)], z);
}

void RecurrentReference::hide_behind_ends(const Tensor& rows, Index t) {
  if (rows) h_.linalg().with_column(Binary::Multiply, rows.at(t), workspace_[inside_].at(t), rows.at(t));
}

void RecurrentReference::take_last(const Tensor& rows, const Tensor& last) {
  if (!last) return;
  const Index time = spec().time;
  const Tensor to = last.reshaped(rows.shape().from(1));
  if (!ends_differ() || spec().reverse || time == 0)
    return h_.memory().copy(rows.at(spec().reverse && time > 0 ? 1 : time), to);
  h_.memory().zero(to);
  for (Index t = 0; t < time; ++t)
    h_.linalg().with_column(Binary::Multiply, rows.at(1 + t), workspace_[at_end_].at(t), MatrixSink(to, Write::Add));
}

void RecurrentReference::do_forward(const RecurrentRun& given, const RecurrentWeights& w) {
  const RecurrentRun run = shaped(given);
  const RecurrentSpec& s = spec();
  if (s.time > 0) {
    find_ends(run);
    for (int g = 0; g < gate_count(s.cell); ++g) input_product(run, w, g);
  }
  for (Index order = 0; order < s.time; ++order) {
    const Step one = step(run, w, order);
    step_forward(one);
    if (one.off) {
      elementwise().copy_if(one.h_before, one.off, run.h.at(1 + one.t));
      if (run.c) elementwise().copy_if(one.c_before, one.off, run.c.at(1 + one.t));
    }
    if (ends_differ()) {
      hide_behind_ends(run.h.slice(1, s.time), one.t);
      if (run.c) hide_behind_ends(run.c.slice(1, s.time), one.t);
    }
  }
  take_last(run.h, run.h_last);
  if (run.c) take_last(run.c, run.c_last);
}

// The delta of the last state of each sequence joins that of the state after its last step.
void RecurrentReference::add_last(const ConstTensor& last, Index t, const Tensor& delta) {
  if (!last) return;
  const ConstTensor from = last.reshaped(delta.shape());
  if (ends_differ() && !spec().reverse)
    h_.linalg().with_column(Binary::Multiply, from, workspace_[at_end_].at(t), MatrixSink(delta, Write::Add));
  else if (last_in_order(t))
    elementwise().unary(Unary::Copy, from, Sink(delta, Write::Add));
}

void RecurrentReference::walk_back(const Step& s, const RecurrentDeltas& d) {
  const Tensor dh = d.dh.at(s.t);
  const Tensor flow = workspace_[flow_];
  const bool cell = dc_ >= 0;
  if (ends_differ()) {
    hide_behind_ends(d.dh, s.t);
    if (cell) h_.linalg().with_column(Binary::Multiply, dc(), workspace_[inside_].at(s.t), dc());
  }
  add_last(d.dh_last, s.t, dh);
  if (cell) add_last(d.dc_last, s.t, dc());
  h_.memory().zero(flow);
  if (s.off) {  // what a resting unit gets goes on to the state before
    elementwise().add_if(dh, s.off, flow);
    elementwise().fill_if(0.0, s.off, dh);
    if (cell) {
      h_.memory().copy(dc(), workspace_[dc_kept_]);
      elementwise().fill_if(0.0, s.off, dc());
    }
  }
  step_backward(s, dh, flow);
  if (s.off && cell) elementwise().copy_if(workspace_[dc_kept_], s.off, dc());
  for (int g = 0; g < gate_count(spec().cell); ++g)
    h_.linalg().matmul(gate_delta(recurrent_delta(spec().cell, g)).at(s.t), s.w.recurrent[at(g)],
                       MatrixSink(flow, Write::Add));
  pass_on(s, d.dh);
}

// What flows out of a step goes to the step before it, or to the first state where it was the first.
void RecurrentReference::pass_on(const Step& s, const Tensor& dh) {
  const Tensor flow = workspace_[flow_];
  const bool first = s.t == (spec().reverse ? spec().time - 1 : 0);
  if (!first) elementwise().unary(Unary::Copy, flow, Sink(dh.at(spec().reverse ? s.t + 1 : s.t - 1), Write::Add));
  if (ends_differ() && spec().reverse) {
    const Tensor end = workspace_[at_end_].at(s.t);
    h_.linalg().with_column(Binary::Multiply, flow, end, MatrixSink(workspace_[dh0_], Write::Add));
    if (dc_ >= 0) h_.linalg().with_column(Binary::Multiply, dc(), end, MatrixSink(workspace_[dc0_], Write::Add));
  } else if (first) {
    h_.memory().copy(flow, workspace_[dh0_]);
    if (dc_ >= 0) h_.memory().copy(dc(), workspace_[dc0_]);
  }
}

// Without steps, sequences or units gradients are zero, and the first state is the last one.
bool RecurrentReference::nothing(const RecurrentDeltas& d, const RecurrentGradients& g) {
  const RecurrentSpec& s = spec();
  if (s.time > 0 && s.batch > 0 && s.size > 0 && s.state() > 0) return false;
  const auto clear = [&](const Sink& sink) {
    if (sink && sink.mode == Write::Overwrite) h_.memory().zero(sink.to);
  };
  for (const auto* four : {&g.input, &g.recurrent, &g.bias, &g.recurrent_bias})
    for (const Sink& sink : *four) clear(sink);
  for (const Sink& sink : g.peephole) clear(sink);
  for (const Sink& sink : {g.projection, d.dx, d.dh_first, d.dc_first}) clear(sink);
  const auto through = [&](const ConstTensor& last, const Sink& first) {
    if (s.time == 0 && last && first) elementwise().unary(Unary::Copy, last, first);
  };
  through(d.dh_last, d.dh_first);
  through(d.dc_last, d.dc_first);
  return true;
}

void RecurrentReference::do_backward(const RecurrentRun& given, const RecurrentWeights& w,
                                     const RecurrentDeltas& deltas, const RecurrentGradients& g) {
  if (nothing(deltas, g)) return;
  const RecurrentRun run = shaped(given);
  RecurrentDeltas d = deltas;
  d.dh = deltas.dh.reshaped({spec().time, spec().batch, spec().state()});
  find_ends(run);
  for (const int part : {dc_, dh0_, dc0_})
    if (part >= 0) h_.memory().zero(workspace_[part]);
  for (Index order = spec().time; order-- > 0;) walk_back(step(run, w, order), d);
  if (d.dh_first) elementwise().unary(Unary::Copy, workspace_[dh0_], d.dh_first);
  if (d.dc_first && dc0_ >= 0) elementwise().unary(Unary::Copy, workspace_[dc0_], d.dc_first);
  gradients(run, w, d, g);
  more_gradients(run, d.dh, g);
}

void RecurrentReference::gradients(const RecurrentRun& run, const RecurrentWeights& w, const RecurrentDeltas& d,
                                   const RecurrentGradients& g) {
  const ConstTensor h_before = all_before(run.h, h_before_);
  const Sink dx = d.dx.reshaped(run.x.shape());
  for (int k = 0; k < gate_count(spec().cell); ++k) {
    const ConstMatrix dz = gate_delta(k);
    const ConstMatrix dr = gate_delta(recurrent_delta(spec().cell, k));
    h_.linalg().matmul(dz.T(), run.x, g.input[at(k)].reshaped({spec().size, spec().in}));
    h_.linalg().matmul(dr.T(), h_before, g.recurrent[at(k)].reshaped({spec().size, spec().state()}));
    h_.linalg().sum_rows(dz, g.bias[at(k)]);
    h_.linalg().sum_rows(dr, g.recurrent_bias[at(k)]);
    if (dx) h_.linalg().matmul(dz, w.input[at(k)], MatrixSink(dx.to, k == 0 ? dx.mode : Write::Add));
  }
}

}  // namespace squall
