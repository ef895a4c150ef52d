#include "common/stacked_recurrent.hpp"

#include "squall/core/ops/linalg.hpp"
#include "squall/core/ops/memory.hpp"

namespace squall {

namespace {

// The columns of one state in a tensor (batch, states, width).
ConstMatrix state_columns(const ConstTensor& all, Index place, Index width) {
  return ConstMatrix(flatten(all, 1)).columns(place * width, width);
}
Matrix state_columns(const Tensor& all, Index place, Index width) {
  return Matrix(flatten(all, 1)).columns(place * width, width);
}
MatrixSink state_columns(const Sink& all, Index place, Index width) {
  return {state_columns(all.to, place, width), all.mode};
}
std::string suffix_of(std::size_t level, std::size_t side) { return concat("_l", level, side == 1 ? "_reverse" : ""); }

}  // namespace

void RecurrentStack::declare(Declare& d, const StackWanted& wanted) {
  wanted_ = wanted;
  require_probability(d, wanted.dropout);
  x_ = d.input("default", "T B ...");
  wanted_.direction.in = d.feature_size(x_);
  declare_states(d);
  wanted_.direction.lengths = has_lengths_;
  levels_.resize(static_cast<std::size_t>(wanted.layers));
  for (std::size_t level = 0; level < levels_.size(); ++level) declare_level(d, level);
  d_steps_ = d.internal("d_steps", d.like(x_, Shape{state()}), {.life = Life::Backward});
  d.backward_reads(x_);
}

void RecurrentStack::declare_states(Declare& d) {
  has_h0_ = d.connected("h0");
  has_c0_ = lstm() && d.connected("c0");
  has_lengths_ = d.connected("lengths");
  BufferShape shape = d.shape(x_);
  shape.time = -1;
  const Index count = wanted_.layers * static_cast<Index>(sides());
  const auto first = [&](const char* name, Index size) {
    const In in = d.input(name, "B F F");
    shape.features = Shape{count, size};
    if (d.shape(in) != shape)
      d.fail("input '", name, "' should be ", shape, ": layers times directions, then the width of the state; but is ",
             d.shape(in));
    return in;
  };
  if (has_h0_) h0_ = first("h0", state());
  if (has_c0_) c0_ = first("c0", units());
  if (has_lengths_) {
    lengths_ = d.input("lengths", "B 1", {.dtype = DType::I32, .differentiable = false});
    if (d.shape(lengths_).batch != d.shape(x_).batch)
      d.fail("input 'lengths' should have one number for each sequence of ", d.shape(x_), ", but is ",
             d.shape(lengths_));
    d.backward_reads(lengths_);
  }
  y_ = d.output("default", d.like(x_, Shape{width()}));
  const auto scratch = [&](const char* name, Index size, Life life) {
    shape.features = Shape{size};
    return d.internal(name, shape, {.life = life});
  };
  shape.features = Shape{count, state()};
  hn_ = d.output("hn", shape);
  last_h_ = scratch("last_h", state(), Life::Forward);
  d_last_h_ = scratch("d_last_h", state(), Life::Backward);
  if (has_h0_) d_first_h_ = scratch("d_first_h", state(), Life::Backward);
  if (!lstm()) return;
  shape.features = Shape{count, units()};
  cn_ = d.output("cn", shape);
  last_c_ = scratch("last_c", units(), Life::Forward);
  d_last_c_ = scratch("d_last_c", units(), Life::Backward);
  if (has_c0_) d_first_c_ = scratch("d_first_c", units(), Life::Backward);
}

void RecurrentStack::declare_level(Declare& d, std::size_t level) {
  Level& l = levels_[level];
  const BufferShape steps = d.like(x_, Shape{state()});
  for (std::size_t side = 0; side < sides(); ++side) {
    const std::string suffix = suffix_of(level, side);
    DirectionWanted wanted = wanted_.direction;
    if (level > 0) wanted.in = width();
    wanted.reverse = side == 1;
    l.directions[side].declare(d, wanted, suffix, steps);
    l.h[side] = d.internal("h" + suffix, steps, {.context = 1});
    if (lstm()) l.c[side] = d.internal("c" + suffix, d.like(x_, Shape{units()}), {.context = 1});
  }
  if (level + 1 == levels_.size()) return;
  l.joined = d.internal(concat("joined_l", level), d.like(x_, Shape{width()}));
  l.d_joined = d.internal(concat("d_joined_l", level), d.like(x_, Shape{width()}), {.life = Life::Backward});
  l.drop.declare(d, concat("mask_l", level), d.like(x_, Shape{width()}), wanted_.dropout, static_cast<int>(level));
}

void RecurrentStack::prepare(Prepare& p) const {
  const Shape shape = p.shape(x_);
  for (const Level& l : levels_)
    for (std::size_t side = 0; side < sides(); ++side) l.directions[side].prepare(p, shape[0], shape[1]);
}

RecurrentRun RecurrentStack::run(const Pass& pass, std::size_t level, std::size_t side, const ConstTensor& x,
                                 const ConstTensor& lengths) const {
  const Level& l = levels_[level];
  RecurrentRun r;
  r.x = x.reshaped(Shape{pass.time(x_), pass.batch(x_), l.directions[side].wanted().in});
  r.h = pass[l.h[side]];
  if (lstm()) r.c = pass[l.c[side]];
  if (has_lengths_) r.lengths = lengths.reshaped(Shape{pass.batch(x_)});
  r.first_step = pass.first_step(x_);
  return r;
}

// The first rows hold what was carried (or zeros). Backward directions begin anew in every pass.
void RecurrentStack::enter(Forward& f, const RecurrentRun& run, std::size_t level, std::size_t side) const {
  const auto first = [&](const Tensor& rows, bool given, In from, Index size) {
    if (given)
      f.handler().linalg().copy_block(state_columns(f[from], place(level, side), size), Matrix(rows.at(0)));
    else if (side == 1)
      f.handler().memory().zero(rows.at(0));
  };
  first(run.h, has_h0_, h0_, state());
  if (lstm()) first(run.c, has_c0_, c0_, units());
}

void RecurrentStack::leave(Forward& f, const RecurrentRun& run, Index place) const {
  const auto last = [&](const Tensor& state, Out to) {
    if (state) f.handler().linalg().copy_block(state, state_columns(f[to], place, state.shape()[-1]));
  };
  last(run.h_last, hn_);
  last(run.c_last, cn_);
}

void RecurrentStack::join(Forward& f, const Level& level, const Tensor& to) const {
  for (std::size_t side = 0; side < sides(); ++side)
    f.handler().linalg().copy_block(f[level.h[side]].slice(1, f.time(x_)),
                                    Matrix(to).columns(static_cast<Index>(side) * state(), state()));
}

void RecurrentStack::forward(Forward& f) const {
  const ConstTensor lengths = has_lengths_ ? f[lengths_] : ConstTensor();
  if (has_lengths_) check_lengths(f.handler(), lengths, f.time(x_));
  ConstTensor x = f[x_];
  for (std::size_t level = 0; level < levels_.size(); ++level) {
    const Level& l = levels_[level];
    for (std::size_t side = 0; side < sides(); ++side) {
      RecurrentRun r = run(f, level, side, x, lengths);
      if (f.active(hn_)) r.h_last = f[last_h_];
      if (lstm() && f.active(cn_)) r.c_last = f[last_c_];
      enter(f, r, level, side);
      l.directions[side].forward(f, r);
      leave(f, r, place(level, side));
    }
    if (level + 1 == levels_.size()) break;
    join(f, l, f[l.joined]);
    l.drop.forward(f, f[l.joined]);
    x = f[l.joined];
  }
  if (f.active(y_)) join(f, levels_.back(), f[y_]);
}

RecurrentDeltas RecurrentStack::deltas(Backward& b, std::size_t level, std::size_t side, const Tensor& dy) const {
  LinalgOps& ops = b.handler().linalg();
  RecurrentDeltas d;
  d.dh = b[d_steps_];
  if (dy)
    ops.copy_block(ConstMatrix(dy).columns(static_cast<Index>(side) * state(), state()), Matrix(d.dh));
  else
    b.handler().memory().zero(d.dh);
  const auto last = [&](Out from, Internal to, Index size) -> ConstTensor {
    const Tensor delta = b.delta(from);
    if (!delta) return {};
    ops.copy_block(state_columns(ConstTensor(delta), place(level, side), size), Matrix(b[to]));
    return b[to];
  };
  d.dh_last = last(hn_, d_last_h_, state());
  if (lstm()) d.dc_last = last(cn_, d_last_c_, units());
  if (has_h0_ && b.delta(h0_)) d.dh_first = b[d_first_h_];
  if (has_c0_ && b.delta(c0_)) d.dc_first = b[d_first_c_];
  return d;
}

void RecurrentStack::level_backward(Backward& b, std::size_t level, const Tensor& dy, const ConstTensor& x,
                                    const Sink& dx) const {
  const ConstTensor lengths = has_lengths_ ? b[lengths_] : ConstTensor();
  for (std::size_t side = 0; side < sides(); ++side) {
    const RecurrentRun r = run(b, level, side, x, lengths);
    RecurrentDeltas d = deltas(b, level, side, dy);
    d.dx = dx.reshaped(r.x.shape());
    if (side == 1) d.dx.mode = Write::Add;
    levels_[level].directions[side].backward(b, r, d);
    const auto first = [&](const Sink& state, In to) {
      if (state)
        b.handler().linalg().copy_block(ConstMatrix(state.to),
                                        state_columns(b.delta(to), place(level, side), state.to.shape()[-1]));
    };
    first(d.dh_first, h0_);
    first(d.dc_first, c0_);
  }
}

void RecurrentStack::backward(Backward& b) const {
  Tensor dy = b.delta(y_);
  for (std::size_t level = levels_.size(); level-- > 0;) {
    if (level == 0) {
      level_backward(b, level, dy, b[x_], b.delta(x_));
      break;
    }
    const Level& below = levels_[level - 1];
    level_backward(b, level, dy, b[below.joined], b[below.d_joined]);
    dy = b[below.d_joined];
    below.drop.backward(b, dy);
  }
}

}  // namespace squall
