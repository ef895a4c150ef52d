// Recurrent layers: the products with all inputs at once, and for each step one product with the state and one kernel.
#include "cuda/booked.hpp"
#include "cuda/facets.hpp"
#include "cuda/kernels/cells.hpp"
#include "cuda/kernels/sums.hpp"

namespace squall::cuda::SQUALL_GRID {

namespace {

std::size_t at(int i) { return static_cast<std::size_t>(i); }

// Several matrices of one size below each other.
template <class R>
struct StackKernel {
  const R* from[4];
  R* to;
  Index each_size;
  SQUALL_HD void operator()(Index i) const {
    const Divided at = divide(i, each_size);
    to[i] = from[at.quotient][at.rest];
  }
};

// The state before a step, or before all steps: row t of `to` for t = first + i / (batch width).
template <class R>
struct StateBeforeKernel {
  StepPlace place;
  const R* rows;
  R* to;
  Index width, first;
  SQUALL_HD void operator()(Index i) const {
    const Divided row = divide(i, place.batch * width);
    const Divided spot = divide(row.rest, width);
    StepPlace here = place;
    here.t = first + row.quotient;
    to[here.t * place.batch * width + row.rest] = here.before(rows, spot.quotient, width, spot.rest);
  }
};
// The state after the last step of each sequence.
template <class R>
struct LastStateKernel {
  StepPlace place;
  const R* rows;
  R* to;
  Index width;
  SQUALL_HD void operator()(Index i) const {
    const Index b = divide(i, width).quotient;
    const Index row = place.reverse ? 1 : place.last(b) + 1;
    to[i] = rows[row * place.batch * width + i];
  }
};
// Behind its end a sequence has no state.
template <class R>
struct HideKernel {
  StepPlace place;
  R* h;
  Index width;
  SQUALL_HD void operator()(Index i) const {
    if (!place.inside(divide(i, width).quotient)) h[i] = R(0);
  }
};
// The whole delta of a projected state, in place.
template <class R>
struct StateDeltaKernel {
  StepBack<R> step;
  R* dh;
  SQUALL_HD void operator()(Index i) const {
    const Divided at = divide(i, step.size);
    dh[i] = step.of_state(at.quotient, at.rest);
  }
};
// What reaches the first state of those sequences that begin here.
template <class R>
struct FirstDeltaKernel {
  StepPlace place;
  const R* flow;
  R* to;
  Index width;
  bool add;
  SQUALL_HD void operator()(Index i) const {
    if (place.first_in_order(divide(i, width).quotient)) put(to + i, flow[i], add);
  }
};
// Rows of gate deltas times what a peephole saw.
template <class R>
struct SeenKernel {
  StepPlace place;
  const R *deltas, *c;
  R* to;
  Index size, ld;
  bool now;  // the cell after the step
  SQUALL_HD void operator()(Index i) const {
    const Divided row = divide(i, size);
    const Divided spot = divide(row.quotient, place.batch);
    StepPlace here = place;
    here.t = spot.quotient;
    const R seen = now ? c[i + place.batch * size] : here.before(c, spot.rest, size, row.rest);
    to[i] = deltas[row.quotient * ld + row.rest] * seen;
  }
};

// Where the products of a gate lie: those with inputs, those with the state, and deltas of both.
struct Slots {
  explicit Slots(Cell cell) : gates(gate_count(cell)), deltas(cell == Cell::Gru ? 4 : gates), gru(cell == Cell::Gru) {}
  int input(int gate) const { return gru ? (gate + 1) % 3 : gate; }      // n, r, z
  int recurrent(int gate) const { return gate; }                         // r, z, n
  int recurrent_delta(int gate) const { return gru ? gate + 1 : gate; }  // r, z, q behind n
  int gates, deltas;
  bool gru;
};

template <class R>
class FusedCells final : public RecurrentPlan {
 public:
  FusedCells(Handler& h, const RecurrentSpec& s, ContextPtr ctx)
      : RecurrentPlan(s), h_(h), ctx_(std::move(ctx)), slots_(s.cell) {
    const auto book = [&](const Shape& shape) { return booked_.book(h.dtype(), shape); };
    if (slots_.gates > 1) {
      input_ = book({slots_.gates * s.size, s.in});
      recurrent_ = book({slots_.gates * s.size, s.state()});
    }
    wide_ = book({s.time * s.batch, (s.training ? slots_.deltas : slots_.gates) * s.size});
    product_ = book({s.batch, slots_.gates * s.size});
    if (s.reverse) before_ = book({s.time, s.batch, s.state()});
    if (s.projection > 0) units_ = book({s.batch, s.size});
    if (!s.training) return;
    flow_ = book({s.batch, s.state()});
    dc_ = book({s.batch, s.cell == Cell::Lstm ? s.size : 0});
    if (s.projection > 0) du_ = book({s.batch, s.size});
    if (s.peepholes) seen_ = book({s.time * s.batch, s.size});
  }
  std::string_view kind() const override { return "fused cells"; }
  std::size_t workspace_bytes() const override { return booked_.bytes(); }
  void set_workspace(void* block) override { booked_.set(block); }

 protected:
  void do_forward(const RecurrentRun& run, const RecurrentWeights& w) override {
    const RecurrentSpec& s = spec();
    stack(w.input, s.in, input_);
    stack(w.recurrent, s.state(), recurrent_, false);
    h_.linalg().matmul(inputs(run), inputs_of(w).T(), wide(0, slots_.gates));
    for (Index order = 0; order < s.time; ++order) step_forward(run, w, s.reverse ? s.time - 1 - order : order);
    take_last(run.h, run, run.h_last, s.state());
    if (run.c) take_last(run.c, run, run.c_last, s.size);
  }

  void do_backward(const RecurrentRun& run, const RecurrentWeights& w, const RecurrentDeltas& d,
                   const RecurrentGradients& g) override {
    const RecurrentSpec& s = spec();
    stack(w.input, s.in, input_);
    stack(w.recurrent, s.state(), recurrent_, false);
    h_.memory().zero(booked_[flow_]);
    h_.memory().zero(booked_[dc_]);
    for (Index order = s.time; order-- > 0;) step_back(run, w, d, s.reverse ? s.time - 1 - order : order);
    if (s.reverse)
      each(*ctx_, s.time * s.batch * s.state(),
           StateBeforeKernel<R>{place(run, 0), run.h.as<R>(), booked_[before_].template as<R>(), s.state(), 0});
    gradients(run, w, d, g);
  }

 private:
  // --- operands
  StepPlace place(const RecurrentRun& run, Index t) const {
    const RecurrentSpec& s = spec();
    return {t, s.time, s.batch, s.lengths ? run.lengths.as<std::int32_t>() : nullptr, s.reverse};
  }
  ConstMatrix inputs(const RecurrentRun& run) const {
    return {run.x.data(), h_.dtype(), spec().time * spec().batch, spec().in, spec().in};
  }
  // Columns of the products, or deltas, of all steps.
  Matrix wide(int first, int count) const { return columns(booked_[wide_], spec().time * spec().batch, first, count); }
  Matrix columns(const Tensor& rows, Index length, int first, int count) const {
    const Index ld = width();
    return {rows.as<R>() + first * spec().size, h_.dtype(), length, count * spec().size, ld};
  }
  Index width() const { return (spec().training ? slots_.deltas : slots_.gates) * spec().size; }
  R* wide_row(Index t) const { return booked_[wide_].template as<R>() + t * spec().batch * width(); }
  ConstMatrix inputs_of(const RecurrentWeights& w) const {
    return slots_.gates > 1 ? ConstMatrix(booked_[input_]) : ConstMatrix(w.input[0].reshaped({spec().size, spec().in}));
  }
  ConstMatrix recurrent_of(const RecurrentWeights& w) const {
    return slots_.gates > 1 ? ConstMatrix(booked_[recurrent_])
                            : ConstMatrix(w.recurrent[0].reshaped({spec().size, spec().state()}));
  }
  void stack(const std::array<ConstTensor, 4>& from, Index columns, int to, bool input = true) {
    if (slots_.gates == 1) return;
    StackKernel<R> kernel{{}, booked_[to].template as<R>(), spec().size * columns};
    for (int g = 0; g < slots_.gates; ++g)
      kernel.from[input ? slots_.input(g) : slots_.recurrent(g)] = from[at(g)].as<R>();
    each(*ctx_, slots_.gates * kernel.each_size, kernel);
  }
  static const R* data(const ConstTensor& t) { return t ? t.as<R>() : nullptr; }
  UnitNumbers<R> numbers(const RecurrentWeights& w) const {
    UnitNumbers<R> n{};
    for (std::size_t g = 0; g < 4; ++g) {
      n.bias[g] = spec().bias ? data(w.bias[g]) : nullptr;
      n.recurrent_bias[g] = spec().recurrent_bias ? data(w.recurrent_bias[g]) : nullptr;
    }
    for (std::size_t p = 0; p < 3; ++p) n.peephole[p] = spec().peepholes ? data(w.peephole[p]) : nullptr;
    n.timing = spec().clockwork ? data(w.timing) : nullptr;
    return n;
  }
  CellRows<R> rows(const RecurrentRun& run) const {
    const auto writable = [](const Tensor& t) { return t ? t.as<R>() : nullptr; };
    CellRows<R> r{};
    r.h = writable(run.h);
    r.c = writable(run.c);
    for (std::size_t g = 0; g < 4; ++g) r.gates[g] = writable(run.gates[g]);
    r.cell_output = writable(run.cell_output);
    return r;
  }
  Tensor state_row(const Tensor& rows, Index row) const {
    const Index count = spec().batch * spec().state();
    return {rows.as<R>() + row * count, h_.dtype(), {spec().batch, spec().state()}};
  }
  // The state before step t as a matrix.
  ConstTensor state_before(const RecurrentRun& run, Index t) {
    const RecurrentSpec& s = spec();
    if (!s.reverse) return state_row(run.h, t);
    if (!s.lengths) return state_row(run.h, t == s.time - 1 ? 0 : t + 2);
    const Tensor before = booked_[before_];
    each(*ctx_, s.batch * s.state(), StateBeforeKernel<R>{place(run, t), run.h.as<R>(), before.as<R>(), s.state(), t});
    return state_row(before, t);
  }

  // --- forward
  void step_forward(const RecurrentRun& run, const RecurrentWeights& w, Index t) {
    const RecurrentSpec& s = spec();
    const Tensor product = booked_[product_];
    h_.linalg().matmul(state_before(run, t), recurrent_of(w).T(), product);
    switch (s.cell) {
      case Cell::Simple: return run_cell<SimpleForward<R>>(run, w, t);
      case Cell::Gru: return run_cell<GruForward<R>>(run, w, t);
      case Cell::Lstm: break;
    }
    run_cell<LstmForward<R>>(run, w, t);
    if (s.projection == 0) return;
    const Tensor h = state_row(run.h, 1 + t);
    h_.linalg().matmul(units_row(run, t), ConstMatrix(w.projection.reshaped({s.projection, s.size})).T(), h);
    if (s.lengths) each(*ctx_, s.batch * s.state(), HideKernel<R>{place(run, t), h.as<R>(), s.state()});
  }
  // What is projected; in inference it may be nowhere yet.
  Tensor units_row(const RecurrentRun& run, Index t) const {
    const RecurrentSpec& s = spec();
    if (!run.units) return booked_[units_];
    return {run.units.as<R>() + t * s.batch * s.size, h_.dtype(), {s.batch, s.size}};
  }
  template <class K>
  void run_cell(const RecurrentRun& run, const RecurrentWeights& w, Index t) {
    const RecurrentSpec& s = spec();
    StepForward<R> step{};
    step.place = place(run, t);
    step.size = s.size;
    step.now = run.first_step + t;
    step.activation = s.activation;
    step.input = wide_row(t);
    step.input_ld = width();
    step.recurrent = booked_[product_].template as<R>();
    step.units = numbers(w);
    step.rows = rows(run);
    step.projected = s.projection > 0 ? units_row(run, t).template as<R>() : nullptr;
    each(*ctx_, s.batch * s.size, K{step});
  }
  void take_last(const Tensor& rows, const RecurrentRun& run, const Tensor& last, Index columns) {
    if (!last) return;
    each(*ctx_, spec().batch * columns, LastStateKernel<R>{place(run, 0), rows.as<R>(), last.as<R>(), columns});
  }

  // --- backward
  void step_back(const RecurrentRun& run, const RecurrentWeights& w, const RecurrentDeltas& d, Index t) {
    const RecurrentSpec& s = spec();
    const Tensor flow = booked_[flow_];
    StepBack<R> step = back_of(run, w, d, t);
    if (s.projection > 0) {
      const Tensor dh = state_row(d.dh, t);
      step.size = s.projection;
      each(*ctx_, s.batch * s.projection, StateDeltaKernel<R>{step, dh.as<R>()});
      step.size = s.size;
      h_.linalg().matmul(dh, w.projection.reshaped({s.projection, s.size}), booked_[du_]);
      step.units_delta = booked_[du_].template as<R>();
    }
    if (s.cell == Cell::Simple) each(*ctx_, s.batch * s.size, SimpleBack<R>{step});
    if (s.cell == Cell::Lstm) each(*ctx_, s.batch * s.size, LstmBack<R>{step});
    if (s.cell == Cell::Gru) each(*ctx_, s.batch * s.size, GruBack<R>{step});
    h_.linalg().matmul(recurrent_deltas(t), recurrent_of(w),
                       MatrixSink(flow, s.projection > 0 ? Write::Overwrite : Write::Add));
    const bool begins = t == (s.reverse ? s.time - 1 : 0) || (s.reverse && s.lengths);
    if (d.dh_first && begins)
      each(*ctx_, s.batch * s.state(),
           FirstDeltaKernel<R>{place(run, t), flow.as<R>(), d.dh_first.to.as<R>(), s.state(),
                               d.dh_first.mode == Write::Add});
  }
  ConstMatrix recurrent_deltas(Index t) const {
    const Tensor row(wide_row(t), h_.dtype(), {spec().batch, width()});
    return columns(row, spec().batch, slots_.recurrent_delta(0), slots_.gates);
  }
  StepBack<R> back_of(const RecurrentRun& run, const RecurrentWeights& w, const RecurrentDeltas& d, Index t) const {
    const RecurrentSpec& s = spec();
    StepBack<R> step{};
    step.place = place(run, t);
    step.size = s.size;
    step.now = run.first_step + t;
    step.activation = s.activation;
    step.dh = state_row(d.dh, t).template as<R>();
    step.dh_last = data(d.dh_last);
    step.dc_last = data(d.dc_last);
    step.flow = booked_[flow_].template as<R>();
    step.dc = booked_[dc_].template as<R>();
    step.deltas = wide_row(t);
    step.dc_first = d.dc_first ? d.dc_first.to.as<R>() : nullptr;
    step.add_first = d.dc_first.mode == Write::Add;
    step.units = numbers(w);
    step.rows = rows(run);
    return step;
  }

  void gradients(const RecurrentRun& run, const RecurrentWeights& w, const RecurrentDeltas& d,
                 const RecurrentGradients& g) {
    const RecurrentSpec& s = spec();
    const Index all = s.time * s.batch;
    const ConstMatrix before(s.reverse ? booked_[before_].data() : run.h.data(), h_.dtype(), all, s.state(), s.state());
    auto& linalg = h_.linalg();
    for (int k = 0; k < slots_.gates; ++k) {
      const ConstMatrix dz = wide(slots_.input(k), 1), dr = wide(slots_.recurrent_delta(k), 1);
      if (g.input[at(k)]) linalg.matmul(dz.T(), inputs(run), g.input[at(k)].reshaped({s.size, s.in}));
      if (g.recurrent[at(k)]) linalg.matmul(dr.T(), before, g.recurrent[at(k)].reshaped({s.size, s.state()}));
      linalg.sum_rows(dz, g.bias[at(k)]);
      linalg.sum_rows(dr, g.recurrent_bias[at(k)]);
    }
    if (d.dx) linalg.matmul(wide(0, slots_.gates), inputs_of(w), d.dx.reshaped({all, s.in}));
    for (int p = 0; p < 3 && s.peepholes; ++p) peephole_gradient(run, p, g.peephole[at(p)]);
    if (s.projection == 0 || !g.projection) return;
    const ConstMatrix dh(d.dh.data(), h_.dtype(), all, s.projection, s.projection);
    const ConstMatrix units(run.units.data(), h_.dtype(), all, s.size, s.size);
    linalg.matmul(dh.T(), units, g.projection.reshaped({s.projection, s.size}));
  }
  void peephole_gradient(const RecurrentRun& run, int hole, const Sink& to) {
    if (!to) return;
    const RecurrentSpec& s = spec();
    const Tensor seen = booked_[seen_];
    each(*ctx_, s.time * s.batch * s.size,
         SeenKernel<R>{place(run, 0), wide_row(0) + (hole + 1) * s.size, run.c.as<R>(), seen.as<R>(), s.size, width(),
                       hole == 2});
    h_.linalg().sum_rows(seen, to);
  }

  Handler& h_;
  ContextPtr ctx_;
  Slots slots_;
  Booked booked_;
  int input_ = -1, recurrent_ = -1, wide_ = -1, product_ = -1, before_ = -1, units_ = -1, flow_ = -1, dc_ = -1,
      du_ = -1, seen_ = -1;
};

template <class R>
class GridRecurrent final : public RecurrentOps {
 public:
  explicit GridRecurrent(ContextPtr ctx) : ctx_(std::move(ctx)) {}

 protected:
  std::unique_ptr<RecurrentPlan> do_plan(const RecurrentSpec& s) override {
    if (s.time == 0 || s.batch == 0 || s.size == 0 || s.state() == 0) return nullptr;  // nothing to compute
    return std::make_unique<FusedCells<R>>(handler(), s, ctx_);
  }

 private:
  ContextPtr ctx_;
};

}  // namespace

template <class R>
std::unique_ptr<RecurrentOps> make_recurrent(ContextPtr ctx) {
  return std::make_unique<GridRecurrent<R>>(std::move(ctx));
}
SQUALL_GRID_MAKER(RecurrentOps, make_recurrent);

}  // namespace squall::cuda::SQUALL_GRID
