// Dense plans, fast and reference, against loops in double.
#include "squall/core/ops/dense.hpp"
#include "support/op_case_plan.hpp"

using namespace squall;
using namespace squall::test;

namespace {

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

struct Operands {
  Values x, w, b, dy;
};

Operands operands(OpCase& c, const DenseSpec& s, bool whole) {
  const auto make = [&](const Shape& shape) { return whole ? c.whole_values(shape, -3, 3) : c.read(c.random(shape)); };
  return {make({s.rows, s.in}), make({s.out, s.in}), make({s.out}), make({s.rows, s.out})};
}

Values forward(const DenseSpec& s, const Operands& o) {
  Values z(at(s.rows * s.out), 0.0);
  for (Index r = 0; r < s.rows; ++r) {
    for (Index u = 0; u < s.out; ++u) {
      double sum = s.bias ? o.b[at(u)] : 0;
      for (Index i = 0; i < s.in; ++i) sum += o.x[at(r * s.in + i)] * o.w[at(u * s.in + i)];
      z[at(r * s.out + u)] = sum;
    }
  }
  return naive::activate_rows(s.activation, z, at(s.out));
}

struct Gradients {
  Values dx, dw, db;
};

Gradients backward(const DenseSpec& s, const Operands& o, const Values& y) {
  Gradients g{Values(o.x.size(), 0.0), Values(o.w.size(), 0.0), Values(o.b.size(), 0.0)};
  const Values dz = naive::activate_rows_back(s.activation, y, o.dy, at(s.out));
  for (Index r = 0; r < s.rows; ++r) {
    for (Index u = 0; u < s.out; ++u) {
      const double d = dz[at(r * s.out + u)];
      g.db[at(u)] += d;
      for (Index i = 0; i < s.in; ++i) {
        g.dx[at(r * s.in + i)] += d * o.w[at(u * s.in + i)];
        g.dw[at(u * s.in + i)] += d * o.x[at(r * s.in + i)];
      }
    }
  }
  return g;
}

// Every choice of wanted sinks in both modes.
void check_backward(OpCase& c, DensePlan& plan, const Operands& o, const Tensor& y, double tolerance) {
  const DenseSpec& s = plan.spec();
  const Gradients want = backward(s, o, c.read(y));
  const Tensor x = c.real({s.rows, s.in}, o.x), w = c.real({s.out, s.in}, o.w);
  const bool large = o.dy.size() > 4000;  // everything at once will do
  for (int wanted = large ? 7 : 1; wanted < 8; ++wanted) {
    for (const Write mode : {Write::Overwrite, Write::Add}) {
      const double start = mode == Write::Add ? 2 : kNaN;
      const auto sink = [&](bool on, const Shape& shape) { return on ? Sink(c.constant(shape, start), mode) : Sink(); };
      const Sink dx = sink((wanted & 1) != 0, {s.rows, s.in});
      const Sink dw = sink((wanted & 2) != 0, {s.out, s.in});
      const Sink db = sink((wanted & 4) != 0 && s.bias, {s.out});
      const Tensor dy = c.real({s.rows, s.out}, o.dy);
      without_allocation(c, [&] { plan.backward(x, {w, nullptr}, y, dy, dx, dw, db); });
      const auto compare = [&](const Sink& got, Values values) {
        for (double& v : values) v += mode == Write::Add ? 2 : 0;
        if (got) c.expect(c.read(got.to), values, tolerance);
      };
      compare(dx, want.dx);
      compare(dw, want.dw);
      compare(db, want.db);
    }
  }
  c.expect_exact(x, o.x);
  c.expect_exact(w, o.w);
}

void check_plan(OpCase& c, DensePlan& plan, const Operands& o, double tolerance) {
  const DenseSpec& s = plan.spec();
  INFO(plan.kind() << " " << s.rows << "x" << s.in << " to " << s.out << ", activation "
                   << static_cast<int>(s.activation) << (s.bias ? "" : ", no bias"));
  give_memory(c, plan);
  const Tensor y = c.nans({s.rows, s.out});
  const Tensor x = c.real({s.rows, s.in}, o.x), w = c.real({s.out, s.in}, o.w);
  const ConstTensor b = s.bias ? ConstTensor(c.real({s.out}, o.b)) : ConstTensor();
  without_allocation(c, [&] { plan.forward(x, {w, nullptr}, b, y); });
  c.expect(c.read(y), forward(s, o), tolerance);
  c.expect_exact(x, o.x);
  c.expect_exact(w, o.w);
  check_backward(c, plan, o, y, tolerance);
}

void check(OpCase& c, const DenseSpec& spec, bool whole) {
  const Operands o = operands(c, spec, whole);
  const bool exact = whole && (spec.activation == Activation::Linear || spec.activation == Activation::Rel);
  const auto fast = c.h().dense().plan(spec);
  const auto reference = c.h().dense().reference(spec);
  CHECK(reference->kind() == "reference");
  check_plan(c, *fast, o, exact ? 0 : c.tolerance());
  check_plan(c, *reference, o, exact ? 0 : c.tolerance());
}

struct Size {
  Index rows, in, out;
};
const std::vector<Size> kSizes{{1, 1, 1},   {3, 17, 5},    {17, 1, 63}, {63, 65, 1}, {65, 63, 17},
                               {1, 401, 3}, {130, 37, 70}, {0, 3, 4},   {3, 0, 4},   {3, 4, 0}};

}  // namespace

OP_CASE("DensePlan::forward", "agrees with loops for odd sizes and every activation") {
  on_all_handlers([](OpCase& c) {
    for (const Size& s : kSizes)
      for (const bool bias : {true, false}) check(c, {s.rows, s.in, s.out, Activation::Tanh, bias}, false);
    for (const Activation f : kActivations) check(c, {19, 23, 11, f, true}, false);
  });
}

OP_CASE("DensePlan::backward", "of whole numbers is exact") {
  on_all_handlers([](OpCase& c) {
    for (const Size& s : kSizes) check(c, {s.rows, s.in, s.out, Activation::Linear, true}, true);
    check(c, {33, 70, 65, Activation::Rel, true}, true);
    if (!c.debug()) check(c, {530, 130, 260, Activation::Rel, true}, true);
  });
}

OP_CASE("DensePlan::forward", "takes examples with time and feature axes") {
  on_all_handlers([](OpCase& c) {
    const DenseSpec spec{6, 20, 4, Activation::Linear, true};
    const Operands o = operands(c, spec, true);
    for (const auto& plan : {c.h().dense().plan(spec), c.h().dense().reference(spec)}) {
      give_memory(c, *plan);
      const Tensor y = c.nans({2, 3, 4});
      plan->forward(c.real({2, 3, 5, 4}, o.x), {c.real({4, 20}, o.w), nullptr}, c.real({4}, o.b), y);
      c.expect_exact(y, forward(spec, o));
    }
  });
}

OP_CASE("DensePlan::forward", "refuses what does not fit the plan") {
  on_all_handlers([](OpCase& c) {
    const auto plan = c.h().dense().plan({6, 20, 4, Activation::Rel, true});
    give_memory(c, *plan);
    const Tensor x = c.random({6, 20}), w = c.random({4, 20}), b = c.random({4}), y = c.random({6, 4});
    const Tensor bytes = c.u8({4}, Values(4, 1));
    expect_error([&] { plan->forward(c.random({20, 6}), {w, nullptr}, b, y); }, {"dense", "x", "(20, 6)", "(6, 20)"});
    expect_error([&] { plan->forward(x, {c.random({20, 4}), nullptr}, b, y); }, {"dense", "W", "(20, 4)", "(4, 20)"});
    expect_error([&] { plan->forward(x, {w, nullptr}, c.random({5}), y); }, {"dense", "bias", "(5)", "(4)"});
    expect_error([&] { plan->forward(x, {w, nullptr}, {}, y); }, {"dense", "bias", "missing"});
    expect_error([&] { plan->forward(x, {w, nullptr}, bytes, y); }, {"dense", "bias", "u8"});
    expect_error([&] { plan->forward(x, {w, nullptr}, b, c.random({6, 5})); }, {"dense", "y", "(6, 5)", "(6, 4)"});
    expect_error([&] { plan->forward(x, {w, nullptr}, b, Tensor()); }, {"dense", "y", "missing"});
    expect_error([&] { plan->forward({}, {w, nullptr}, b, y); }, {"dense", "x", "missing"});
    expect_error([&] { plan->forward(x, {}, b, y); }, {"dense", "W", "missing"});
    const auto bare = c.h().dense().plan({6, 20, 4, Activation::Rel, false});
    give_memory(c, *bare);
    expect_error([&] { bare->forward(x, {w, nullptr}, b, y); }, {"dense", "without bias"});
    expect_error([&] { c.h().dense().plan({-1, 2, 3}); }, {"dense", "rows", "-1"});
    expect_error([&] { c.h().dense().plan({1, -2, 3}); }, {"dense", "inputs", "-2"});
    expect_error([&] { c.h().dense().reference({1, 2, -3}); }, {"dense", "outputs", "-3"});
  });
}

OP_CASE("DensePlan::backward", "refuses what does not fit the plan") {
  on_all_handlers([](OpCase& c) {
    const auto plan = c.h().dense().plan({6, 20, 4, Activation::Rel, true});
    give_memory(c, *plan);
    const Tensor x = c.random({6, 20}), y = c.random({6, 4}), dy = c.random({6, 4});
    const WeightRef w{c.random({4, 20}), nullptr};
    const Tensor odd = c.random({7});
    const auto call = [&](const ConstTensor& xx, const ConstTensor& yy, const Tensor& dd, const Sink& dx,
                          const Sink& dw, const Sink& db) { plan->backward(xx, w, yy, dd, dx, dw, db); };
    expect_error([&] { call(odd, y, dy, {}, {}, {}); }, {"dense backward", "x", "(7)"});
    expect_error([&] { call(x, odd, dy, {}, {}, {}); }, {"dense backward", "y", "(7)"});
    expect_error([&] { call(x, y, odd, {}, {}, {}); }, {"dense backward", "dy", "(7)"});
    expect_error([&] { call(x, y, dy, odd, {}, {}); }, {"dense backward", "dx", "(7)", "(6, 20)"});
    expect_error([&] { call(x, y, dy, {}, odd, {}); }, {"dense backward", "dW", "(7)", "(4, 20)"});
    expect_error([&] { call(x, y, dy, {}, {}, odd); }, {"dense backward", "dbias", "(7)", "(4)"});
    expect_error([&] { plan->backward(x, {odd, nullptr}, y, dy, {}, {}, {}); }, {"dense backward", "W", "(7)"});
  });
}
