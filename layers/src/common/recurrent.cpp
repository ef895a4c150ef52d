#include "common/recurrent.hpp"

#include "squall/core/ops/memory.hpp"

namespace squall {

namespace {

ConstTensor flat(const Pass& pass, In x, const ConstTensor& value) {
  const Index rows = pass.time(x) * pass.batch(x);
  return value.reshaped(Shape{pass.time(x), pass.batch(x), value.elements() / rows});
}
Sink flat(const Pass& pass, In x, const Sink& sink) {
  return sink ? sink.reshaped(flat(pass, x, sink.to).shape()) : sink;
}

// Rows of one gate in the tensor of all.
ConstTensor part(const ConstTensor& all, std::size_t gate, Index units) {
  return all.slice(static_cast<Index>(gate) * units, units);
}
Sink part(const Sink& all, std::size_t gate, Index units) {
  return all ? Sink(all.to.slice(static_cast<Index>(gate) * units, units), all.mode) : all;
}

}  // namespace

Index recurrent_units(const Declare& d, const RecurrentOptions& options, In x) {
  if (options.size && *options.size < 1) d.fail("option 'size' should be a positive whole number, not ", *options.size);
  if (options.activation == Activation::Softmax)
    d.fail("option 'activation' cannot be softmax in a recurrent layer; use rel, tanh, sigmoid, el or linear");
  return options.size.value_or(d.feature_size(x));
}

RecurrentSpec recurrent_spec(const Prepare& p, In x, Cell cell, Index units, Activation activation) {
  const Shape shape = p.shape(x);
  RecurrentSpec spec;
  spec.cell = cell;
  spec.time = shape[0];
  spec.batch = shape[1];
  spec.in = shape.from(2).elements();
  spec.size = units;
  spec.activation = activation;
  spec.training = p.training();
  return spec;
}

void check_periods(Handler& handler, const ConstTensor& timing) {
  constexpr Index kPiece = 64;
  visit_dtype(timing.dtype(), [&](auto zero) {
    std::array<decltype(zero), kPiece> periods;
    for (Index first = 0; first < timing.elements(); first += kPiece) {
      const Index count = std::min(kPiece, timing.elements() - first);
      handler.memory().download(timing.slice(first, count), Tensor(periods.data(), timing.dtype(), Shape{count}));
      for (Index i = 0; i < count; ++i)
        if (const auto period = periods[static_cast<std::size_t>(i)]; !(period > 0))
          raise<ConfigError>("'timing' of unit ", first + i, " is ", period,
                             ", but a period should be above 0; give them all, like {\"timing\": [1, 1, 2, 4]}");
    }
  });
}

void no_gradient(Handler& handler, const Sink& sink) {
  if (sink && sink.mode == Write::Overwrite) handler.memory().zero(sink.to);
}

void SimpleUnits::declare(Declare& d, const RecurrentOptions& options, bool clocked) {
  clockwork = clocked;
  x = d.input("default", "T B ...");
  units = recurrent_units(d, options, x);
  activation = options.activation;
  y = d.output("default", d.like(x, Shape{units}), {.context = 1});
  W = d.parameter("W", Shape{units, d.feature_size(x)});
  R = d.parameter("R", Shape{units, units});
  bias = d.parameter("bias", Shape{units}, {.bias = true});
  if (clockwork) timing = d.parameter("timing", Shape{units}, {.initial = 1.0});
  plan = d.plan<RecurrentPlan>();
  d.backward_reads(x, y);
}

void SimpleUnits::prepare(Prepare& p) const {
  RecurrentSpec spec = recurrent_spec(p, x, Cell::Simple, units, activation);
  spec.clockwork = clockwork;
  p.keep(plan, p.handler().recurrent().plan(spec));
}

RecurrentWeights SimpleUnits::weights(const Pass& pass) const {
  RecurrentWeights w;
  w.input[0] = pass[W];
  w.recurrent[0] = pass[R];
  w.bias[0] = pass[bias];
  if (clockwork) w.timing = pass[timing];
  return w;
}

void SimpleUnits::forward(Forward& f) const {
  if (clockwork) check_periods(f.handler(), f[timing]);
  RecurrentRun run;
  run.x = flat(f, x, f[x]);
  run.h = f.with_context(y);
  run.first_step = f.first_step(x);
  f[plan].forward(run, weights(f));
}

void SimpleUnits::backward(Backward& b) const {
  RecurrentRun run;
  run.x = flat(b, x, b[x]);
  run.h = b.with_context(y);
  run.first_step = b.first_step(x);
  RecurrentDeltas d;
  d.dh = b.delta(y);
  d.dx = flat(b, x, b.delta(x));
  RecurrentGradients g;
  g.input[0] = b.gradient(W);
  g.recurrent[0] = b.gradient(R);
  g.bias[0] = b.gradient(bias);
  b[plan].backward(run, weights(b), d, g);
  if (clockwork) no_gradient(b.handler(), b.gradient(timing));
}

void LstmUnits::declare(Declare& d, const RecurrentOptions& options, Kind which) {
  kind = which;
  x = d.input("default", kind == Kind::Fused ? "T B F" : "T B ...");
  units = recurrent_units(d, options, x);
  activation = options.activation;
  const BufferShape shape = d.like(x, Shape{units});
  y = d.output("default", shape, {.context = 1});
  if (kind == Kind::Fused)
    declare_fused(d);
  else
    declare_separate(d);
  std::size_t g = 0;
  for (const auto* name : {"Zb", "Ib", "Fb", "Ob"}) gates[g++] = d.internal(name, shape);
  Ca = d.internal("Ca", shape, {.context = 1});
  Cb = d.internal("Cb", shape);
  plan = d.plan<RecurrentPlan>();
  d.backward_reads(x, y);
}

void LstmUnits::declare_separate(Declare& d) {
  const auto four = [&](std::array<Param, 4>& to, const char* prefix, const Shape& shape, bool is_bias) {
    std::size_t g = 0;
    for (const char gate : {'z', 'i', 'f', 'o'}) to[g++] = d.parameter(concat(prefix, gate), shape, {.bias = is_bias});
  };
  four(W, "W", Shape{units, d.feature_size(x)}, false);
  std::size_t k = 0;
  for (const auto* name : {"pi", "pf", "po"}) p[k++] = d.parameter(name, Shape{1, units});
  four(R, "R", Shape{units, units}, false);
  four(b, "b", Shape{units}, true);
  if (kind == Kind::Clockwork) timing = d.parameter("timing", Shape{units}, {.initial = 1.0});
}

void LstmUnits::declare_fused(Declare& d) {
  W[0] = d.parameter("W", Shape{4 * units, d.feature_size(x)});
  R[0] = d.parameter("R", Shape{4 * units, units});
  b[0] = d.parameter("b", Shape{4 * units}, {.bias = true});
}

void LstmUnits::prepare(Prepare& prepare) const {
  RecurrentSpec spec = recurrent_spec(prepare, x, Cell::Lstm, units, activation);
  spec.peepholes = kind != Kind::Fused;
  spec.clockwork = kind == Kind::Clockwork;
  prepare.keep(plan, prepare.handler().recurrent().plan(spec));
}

RecurrentWeights LstmUnits::weights(const Pass& pass) const {
  RecurrentWeights w;
  const bool fused = kind == Kind::Fused;
  for (std::size_t g = 0; g < 4; ++g) {
    w.input[g] = fused ? part(pass[W[0]], g, units) : pass[W[g]];
    w.recurrent[g] = fused ? part(pass[R[0]], g, units) : pass[R[g]];
    w.bias[g] = fused ? part(pass[b[0]], g, units) : pass[b[g]];
  }
  for (std::size_t k = 0; k < 3 && !fused; ++k) w.peephole[k] = pass[p[k]].reshaped(Shape{units});
  if (kind == Kind::Clockwork) w.timing = pass[timing];
  return w;
}

RecurrentGradients LstmUnits::gradients(const Backward& pass) const {
  RecurrentGradients to;
  const bool fused = kind == Kind::Fused;
  for (std::size_t g = 0; g < 4; ++g) {
    to.input[g] = fused ? part(pass.gradient(W[0]), g, units) : pass.gradient(W[g]);
    to.recurrent[g] = fused ? part(pass.gradient(R[0]), g, units) : pass.gradient(R[g]);
    to.bias[g] = fused ? part(pass.gradient(b[0]), g, units) : pass.gradient(b[g]);
  }
  for (std::size_t k = 0; k < 3 && !fused; ++k) to.peephole[k] = pass.gradient(p[k]).reshaped(Shape{units});
  return to;
}

RecurrentRun LstmUnits::run(const Pass& pass, const ConstTensor& input, const Tensor& h) const {
  RecurrentRun r;
  r.x = flat(pass, x, input);
  r.h = h;
  r.c = pass[Ca];
  for (std::size_t g = 0; g < 4; ++g) r.gates[g] = pass[gates[g]];
  r.cell_output = pass[Cb];
  r.first_step = pass.first_step(x);
  return r;
}

void LstmUnits::forward(Forward& f) const {
  if (kind == Kind::Clockwork) check_periods(f.handler(), f[timing]);
  f[plan].forward(run(f, f[x], f.with_context(y)), weights(f));
}

void LstmUnits::backward(Backward& pass) const {
  RecurrentDeltas d;
  d.dh = pass.delta(y);
  d.dx = flat(pass, x, pass.delta(x));
  pass[plan].backward(run(pass, pass[x], pass.with_context(y)), weights(pass), d, gradients(pass));
  if (kind == Kind::Clockwork) no_gradient(pass.handler(), pass.gradient(timing));
}

}  // namespace squall
