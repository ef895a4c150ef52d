#include "cpu/recurrent.hpp"

#include <cmath>

#include "cpu/products.hpp"
#include "cpu/reduce.hpp"
#include "squall/core/ops/elementwise.hpp"

namespace squall::cpu {

namespace {

std::size_t index(int i) { return static_cast<std::size_t>(i); }

// The few sequences for which packing weights does not pay.
constexpr Index kFew = 4;
// Blocks of steps: a multiple of every pack_columns; wider ones for a library, which likes large products.
constexpr Index kPackedUnits = 48, kLibraryUnits = 96, kPackedRows = 64, kLibraryRows = 256;

}  // namespace

template <class R>
SequencePlan<R>::SequencePlan(const RecurrentSpec& s, ContextPtr<R> ctx)
    : RecurrentPlan(s),
      ctx_(std::move(ctx)),
      library_(ctx_->by_library(s.batch, s.size, s.size)),
      packs_(s.batch > kFew && !library_),
      row_parts_(ceil_div(s.batch, library_ ? kLibraryRows : kPackedRows)),
      unit_grain_(library_ ? kLibraryUnits : kPackedUnits),
      chunk_(std::min(s.time, ceil_div(512, s.batch))) {
  lay_out(nullptr);
}

template <class R>
void SequencePlan<R>::lay_out(void* memory) {
  const RecurrentSpec& s = spec();
  const bool lstm = s.cell == Cell::Lstm;
  Room room(memory);
  biases_ = room.take<R>(blocks() * n());
  if (packs_) packed_ = room.take<R>(gates() * n() * round_up(n(), k().sequence.pack_columns));
  if (s.clockwork) off_ = room.take<std::uint8_t>(n());
  if (!s.training && s.cell != Cell::Simple) gates_ = room.take<R>(blocks() * chunk_ * step_size());
  if (!s.training && lstm) output_ = room.take<R>(step_size());
  if (s.training) {
    deltas_ = room.take<R>(blocks() * s.time * step_size());
    dh0_ = room.take<R>(step_size());
    if (lstm) dc_ = room.take<R>(step_size());
    if (lstm && s.clockwork) dc_kept_ = room.take<R>(step_size());
    if (s.peepholes) peephole_sums_ = room.take<double>(3 * row_parts_ * n());
  }
  bytes_ = room.bytes();
}

template <class R>
template <class F>
void SequencePlan<R>::each_block(const F& f) const {
  const Index unit_parts = ceil_div(n(), unit_grain_);
  const bool worth = 2 * spec().batch * n() * n() * gates() >= kWorthFlops;
  ctx_->parallel().run(row_parts_ * unit_parts, worth, [&](Index tile, int worker) {
    Block b;
    b.row_part = tile / unit_parts;
    b.rows = part_of(spec().batch, row_parts_, b.row_part, 8);
    b.units.first = tile % unit_parts * unit_grain_;
    b.units.count = std::min(unit_grain_, n() - b.units.first);
    b.at = b.rows.first * n() + b.units.first;
    f(b, worker);
  });
}

template <class R>
R* SequencePlan<R>::gate(const Frame& f, int g, Index t) const {
  if (spec().cell == Cell::Simple) return h(f, 1 + t);  // its gate is its output
  const Tensor& given = f.run.gates[index(g)];
  return given ? given.as<R>() + t * step_size() : gates_ + (g * chunk_ + t - f.base) * step_size();
}

template <class R>
R* SequencePlan<R>::cell_output(const Frame& f) const {
  return f.run.cell_output ? f.run.cell_output.template as<R>() + f.t * step_size() : output_;
}

template <class R>
R* SequencePlan<R>::carry(const Frame& f) const {
  if (first(f.t)) return dh0_;
  return f.dh + (spec().reverse ? f.t + 1 : f.t - 1) * step_size();
}

template <class R>
void SequencePlan<R>::merge_biases(const RecurrentWeights& w) const {
  std::fill_n(biases_, blocks() * n(), R(0));
  for (int g = 0; g < gates(); ++g) {
    R* inner = biases_ + g * n();
    R* outer = biases_ + recurrent(g) * n();
    for (Index j = 0; j < n() && spec().bias; ++j) inner[j] += w.bias[index(g)].template as<R>()[j];
    for (Index j = 0; j < n() && spec().recurrent_bias; ++j) outer[j] += w.recurrent_bias[index(g)].template as<R>()[j];
  }
}

template <class R>
void SequencePlan<R>::pack(const RecurrentWeights& w, bool transposed) const {
  if (!packs_) return;
  const auto& kernels = k().sequence;
  const Index size = n() * round_up(n(), kernels.pack_columns);
  ctx_->parallel().run(gates(), gates() * n() * n() >= kWorthElements, [&](Index g, int) {
    const R* weight = w.recurrent[static_cast<std::size_t>(g)].template as<R>();
    kernels.pack(n(), n(), weight, transposed ? 1 : n(), transposed ? n() : 1, packed_ + g * size);
  });
}

template <class R>
void SequencePlan<R>::input_products(const Frame& f, Index first_step, Index count) const {
  const Index batch = spec().batch;
  const ConstMatrix x = matrix(f.run.x.template as<R>() + first_step * batch * spec().in, count * batch, spec().in);
  for (int g = 0; g < gates(); ++g) {
    const ConstMatrix weight = matrix(f.w.input[index(g)].template as<R>(), n(), spec().in);
    product(*ctx_, call_of<R>(x, weight.T(), gate(f, g, first_step), n(), false));
  }
}

// Whether some unit keeps its state in this step; marks which.
template <class R>
bool SequencePlan<R>::clock(const Frame& f) const {
  const Index now = f.run.first_step + f.t;
  if (!spec().clockwork || now == 0) return false;
  const R* timing = f.w.timing.template as<R>();
  bool any = false;
  for (Index j = 0; j < n(); ++j) {
    off_[j] = std::fmod(static_cast<R>(now), timing[j]) != R(0) ? 1 : 0;
    any = any || off_[j] != 0;
  }
  return any;
}

// Rows of a (batch, size) times the recurrent weight of gate g, or its transpose.
template <class R>
void SequencePlan<R>::multiply(const R* a, const R* weight, int g, bool transposed, const Block& b, R* to, bool add,
                               int worker) const {
  const R* rows = a + b.rows.first * n();
  if (packs_) {
    const R* packed = packed_ + g * n() * round_up(n(), k().sequence.pack_columns);
    return k().sequence.multiply(
        {b.rows.count, b.units.count, n(), rows, n(), packed, n(), b.units.first, to + b.at, n(), add});
  }
  const Index columns = transposed ? n() : 1;
  ctx_->multiply({b.rows.count, b.units.count, n(), rows, n(), 1, weight + b.units.first * columns,
                  transposed ? 1 : n(), columns, to + b.at, n(), add},
                 worker);
}

template <class R>
void SequencePlan<R>::step(const Frame& f) const {
  each_block([&](const Block& b, int worker) {
    for (int g = 0; g < gates(); ++g) {
      const int to = recurrent(g);
      multiply(h(f, before(f.t)), f.w.recurrent[index(g)].template as<R>(), g, true, b, gate(f, to, f.t), to == g,
               worker);
    }
    cell(f, b);
    if (f.rests) rest(f, b);
  });
}

template <class R>
void SequencePlan<R>::rest(const Frame& f, const Block& b) const {
  const auto keep = [&](const R* from, R* to) {
    for (Index r = 0; r < b.rows.count; ++r)
      for (Index j = 0; j < b.units.count; ++j)
        if (const Index i = b.at + r * n() + j; off_[b.units.first + j] != 0) to[i] = from[i];
  };
  keep(h(f, before(f.t)), h(f, 1 + f.t));
  if (f.run.c) keep(c(f, before(f.t)), c(f, 1 + f.t));
}

template <class R>
void SequencePlan<R>::do_forward(const RecurrentRun& run, const RecurrentWeights& w) {
  Frame f{run, w};
  merge_biases(w);
  pack(w, true);
  for (Index order = 0; order < spec().time; order += chunk_) {
    const Index count = std::min(chunk_, spec().time - order);
    f.base = spec().reverse ? spec().time - order - count : order;
    input_products(f, f.base, count);
    for (Index i = 0; i < count; ++i) {
      f.t = spec().reverse ? spec().time - 1 - order - i : order + i;
      f.rests = clock(f);
      step(f);
    }
  }
  const Index last = spec().reverse ? 1 : spec().time;
  if (run.h_last) std::copy_n(h(f, last), step_size(), run.h_last.template as<R>());
  if (run.c_last && run.c) std::copy_n(c(f, last), step_size(), run.c_last.template as<R>());
}

// to += what the deltas of step t send to the state before it, past the recurrent weights.
template <class R>
void SequencePlan<R>::flow(Index t, const RecurrentWeights& w, const Block& b, R* to, int worker) const {
  for (int g = 0; g < gates(); ++g)
    multiply(delta(recurrent(g), t), w.recurrent[index(g)].template as<R>(), g, false, b, to, true, worker);
}

// What a resting unit gets goes on to the state before.
template <class R>
void SequencePlan<R>::rest_back(const Frame& f, const Block& b) const {
  R* dh = f.dh + f.t * step_size();
  R* to = carry(f);
  for (Index r = 0; r < b.rows.count; ++r)
    for (Index j = 0; j < b.units.count; ++j) {
      if (off_[b.units.first + j] == 0) continue;
      const Index i = b.at + r * n() + j;
      to[i] += dh[i];
      dh[i] = R(0);
      if (dc_ == nullptr) continue;
      dc_kept_[i] = dc_[i];
      dc_[i] = R(0);
    }
}
template <class R>
void SequencePlan<R>::wake(const Frame&, const Block& b) const {
  if (dc_ == nullptr) return;
  for (Index r = 0; r < b.rows.count; ++r)
    for (Index j = 0; j < b.units.count; ++j)
      if (const Index i = b.at + r * n() + j; off_[b.units.first + j] != 0) dc_[i] = dc_kept_[i];
}

template <class R>
void SequencePlan<R>::step_back(const Frame& f, Index next) const {
  each_block([&](const Block& b, int worker) {
    if (next >= 0) flow(next, f.w, b, f.dh + f.t * step_size(), worker);
    if (f.rests) rest_back(f, b);
    cell_back(f, b);
    if (f.rests) wake(f, b);
  });
}

template <class R>
void SequencePlan<R>::add_last(const RecurrentDeltas& d) const {
  const Index last = spec().reverse ? 0 : spec().time - 1;
  if (d.dh_last)
    k().unary[at(Unary::Copy)][at(Write::Add)](step_size(), d.dh_last.template as<R>(),
                                               d.dh.template as<R>() + last * step_size());
  std::fill_n(dh0_, step_size(), R(0));
  if (dc_ == nullptr) return;
  if (d.dc_last)
    std::copy_n(d.dc_last.template as<R>(), step_size(), dc_);
  else
    std::fill_n(dc_, step_size(), R(0));
}

template <class R>
void SequencePlan<R>::first_deltas(const Frame& f, const RecurrentDeltas& d) const {
  const auto copy = k().unary[at(Unary::Copy)];
  if (d.dc_first && dc_ != nullptr) copy[at(d.dc_first.mode)](step_size(), dc_, d.dc_first.to.template as<R>());
  if (!d.dh_first) return;
  each_block([&](const Block& b, int worker) { flow(spec().reverse ? spec().time - 1 : 0, f.w, b, dh0_, worker); });
  copy[at(d.dh_first.mode)](step_size(), dh0_, d.dh_first.to.template as<R>());
}

template <class R>
void SequencePlan<R>::do_backward(const RecurrentRun& run, const RecurrentWeights& w, const RecurrentDeltas& d,
                                  const RecurrentGradients& g) {
  Frame f{run, w, d.dh.template as<R>()};
  pack(w, false);
  add_last(d);
  if (peephole_sums_ != nullptr) std::fill_n(peephole_sums_, 3 * row_parts_ * n(), 0.0);
  Index next = -1;
  for (Index order = spec().time; order-- > 0;) {
    f.t = spec().reverse ? spec().time - 1 - order : order;
    f.rests = clock(f);
    step_back(f, next);
    next = f.t;
  }
  first_deltas(f, d);
  gradients(f, d, g);
}

// += over all steps of the delta times the state before.
template <class R>
void SequencePlan<R>::state_gradient(const Frame& f, int g, const Sink& to) const {
  if (!to) return;
  const Index batch = spec().batch, time = spec().time;
  const auto add = [&](Index t, Index row, Index steps, bool adds) {
    const ConstMatrix d = matrix(delta(g, t), steps * batch, n());
    product(*ctx_, call_of<R>(d.T(), matrix(h(f, row), steps * batch, n()), to.to.template as<R>(), n(), adds));
  };
  const bool adds = to.mode == Write::Add;
  if (!spec().reverse) return add(0, 0, time, adds);
  add(time - 1, 0, 1, adds);
  if (time > 1) add(0, 2, time - 1, true);
}

template <class R>
void SequencePlan<R>::gradients(const Frame& f, const RecurrentDeltas& d, const RecurrentGradients& g) const {
  const Index in = spec().in;
  const ConstMatrix x = matrix(f.run.x.template as<R>(), rows(), in);
  for (int b = 0; b < gates(); ++b) {
    const ConstMatrix delta_in = matrix(delta(b, 0), rows(), n());
    if (d.dx)
      product(*ctx_, call_of<R>(delta_in, matrix(f.w.input[index(b)].template as<R>(), n(), in),
                                d.dx.to.template as<R>(), in, b > 0 || d.dx.mode == Write::Add));
    if (const Sink& to = g.input[index(b)])
      product(*ctx_, call_of<R>(delta_in.T(), x, to.to.template as<R>(), in, to.mode == Write::Add));
    state_gradient(f, recurrent(b), g.recurrent[index(b)]);
    const auto sum = [&](int block, const Sink& to) {
      if (to) column_sums(*ctx_, rows(), n(), delta(block, 0), n(), to.to.template as<R>(), to.mode == Write::Add);
    };
    sum(b, g.bias[index(b)]);
    sum(recurrent(b), g.recurrent_bias[index(b)]);
  }
  for (int p = 0; p < 3 && spec().peepholes; ++p)
    if (const Sink& to = g.peephole[index(p)])
      combine(peephole_sums(p, 0), row_parts_, n(), to.to.template as<R>(), to.mode == Write::Add);
}

template class SequencePlan<float>;
template class SequencePlan<double>;

}  // namespace squall::cpu
