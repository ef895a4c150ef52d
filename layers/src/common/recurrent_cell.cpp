#include "common/recurrent_cell.hpp"

#include "squall/core/ops/elementwise.hpp"
#include "squall/core/ops/memory.hpp"

namespace squall {

void CellStep::declare(Declare& d, DirectionWanted wanted) {
  x_ = d.input("default", "...");
  wanted.in = d.features(x_)[-1];
  const Shape& features = d.features(x_);
  const Shape around = features.until(features.rank() - 1);
  const BufferShape state = d.like(x_, around.with_back(wanted.units));
  const auto first = [&](const char* name) {
    const In in = d.input(name, "...");
    if (d.shape(in) != state) d.fail("input '", name, "' should be ", state, ", but is ", d.shape(in));
    return in;
  };
  has_h0_ = d.connected("h0");
  has_c0_ = wanted.cell == Cell::Lstm && d.connected("c0");
  if (has_h0_) h0_ = first("h0");
  if (has_c0_) c0_ = first("c0");
  y_ = d.output("default", state);
  if (wanted.cell == Cell::Lstm) cn_ = d.output("cn", state);
  direction_.declare(d, wanted, "", state);
  const BufferShape both = d.like(x_, around.with_back(2 * wanted.units));
  h_ = d.internal("h", both);
  if (lstm()) c_ = d.internal("c", both);
  dy_ = d.internal("d_step", state, {.life = Life::Backward});
  d.backward_reads(x_);
}

RecurrentRun CellStep::run(const Pass& pass, const ConstTensor& x) const {
  const Index in = direction_.wanted().in;
  const Index rows = x.elements() / in;
  RecurrentRun r;
  r.x = x.reshaped(Shape{1, rows, in});
  r.h = pass[h_].reshaped(states(rows));
  if (lstm()) r.c = pass[c_].reshaped(states(rows));
  return r;
}

void CellStep::forward(Forward& f) const {
  const RecurrentRun r = run(f, f[x_]);
  MemoryOps& memory = f.handler().memory();
  const auto enter = [&](const Tensor& rows, bool given, In from) {
    if (given)
      memory.copy(f[from], rows.at(0).reshaped(f[from].shape()));
    else
      memory.zero(rows.at(0));
  };
  enter(r.h, has_h0_, h0_);
  if (lstm()) enter(r.c, has_c0_, c0_);
  direction_.forward(f, r);
  const auto leave = [&](const Tensor& rows, Out to) {
    if (f.active(to)) memory.copy(rows.at(1).reshaped(f[to].shape()), f[to]);
  };
  leave(r.h, y_);
  if (lstm()) leave(r.c, cn_);
}

void CellStep::backward(Backward& b) const {
  const RecurrentRun r = run(b, b[x_]);
  const Shape state = states(r.x.shape()[1]).from(1);
  RecurrentDeltas d;
  d.dh = b.delta(y_);
  if (!d.dh) {
    d.dh = b[dy_];
    b.handler().memory().zero(d.dh);
  }
  d.dh = d.dh.reshaped(state.with_front(1));
  if (lstm())
    if (const Tensor dc = b.delta(cn_)) d.dc_last = dc.reshaped(state);
  d.dx = b.delta(x_).reshaped(r.x.shape());
  if (has_h0_) d.dh_first = b.delta(h0_).reshaped(state);
  if (has_c0_) d.dc_first = b.delta(c0_).reshaped(state);
  direction_.backward(b, r, d);
}

}  // namespace squall
