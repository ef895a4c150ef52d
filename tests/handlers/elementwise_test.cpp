// Operations on every element, against the same formula in double.
#include "support/op_case_plan.hpp"

using namespace squall;
using namespace squall::test;

namespace {

double plain(Unary op, double x) {
  switch (op) {
    case Unary::Copy: return x;
    case Unary::Negate: return -x;
    case Unary::Abs: return std::abs(x);
    case Unary::Log: return std::log(x);
    case Unary::Sqrt: return std::sqrt(x);
    case Unary::Sign: return x > 0 ? 1 : x < 0 ? -1 : 0;
    case Unary::Square: return x * x;
    case Unary::Exp: return std::exp(x);
    case Unary::Reciprocal: return 1 / x;
  }
  return 0;
}

double plain(Binary op, double a, double b) {
  switch (op) {
    case Binary::Add: return a + b;
    case Binary::Subtract: return a - b;
    case Binary::Multiply: return a * b;
    case Binary::Divide: return a / b;
    case Binary::Modulo: return std::fmod(a, b);
    case Binary::Maximum: return std::max(a, b);
    case Binary::Minimum: return std::min(a, b);
  }
  return 0;
}

const std::vector<Unary> kUnary{Unary::Copy, Unary::Negate, Unary::Abs, Unary::Log,       Unary::Sqrt,
                                Unary::Sign, Unary::Square, Unary::Exp, Unary::Reciprocal};
const std::vector<Binary> kBinary{Binary::Add,    Binary::Subtract, Binary::Multiply, Binary::Divide,
                                  Binary::Modulo, Binary::Maximum,  Binary::Minimum};

Values map(const Values& x, const std::function<double(double)>& f) {
  Values out;
  for (const double v : x) out.push_back(f(v));
  return out;
}
Values map(const Values& a, const Values& b, const std::function<double(double, double)>& f) {
  Values out;
  for (std::size_t i = 0; i < a.size(); ++i) out.push_back(f(a[i], b[i]));
  return out;
}

// Conditions of every type that may be one, with the same truth values.
std::vector<Tensor> conditions(OpCase& c, const Shape& shape, Values& truth) {
  truth = c.whole_values(shape, 0, 2);
  Values fractions = truth;
  for (double& v : fractions) v *= 0.5;
  return {c.real(shape, fractions), c.i32(shape, truth), c.u8(shape, truth)};
}

}  // namespace

OP_CASE("ElementwiseOps::unary", "computes every function in every sink mode") {
  on_all_handlers([](OpCase& c) {
    for (const Unary op : kUnary) {
      const bool positive = op == Unary::Log || op == Unary::Sqrt || op == Unary::Reciprocal;
      for (const Index n : c.odd_sizes()) {
        INFO(name_of(op) << " of " << n);
        const Tensor x = c.random({n}, positive ? 0.5 : -2.0, 2.0);
        const Values want = map(c.read(x), [&](double v) { return plain(op, v); });
        c.expect_sink({n}, want, [&](const Sink& out) { c.h().elementwise().unary(op, x, out); });
        c.h().elementwise().unary(op, x, Sink(x));
        c.expect(x, want);
      }
    }
    const Tensor zero = c.real({3}, {0, -2, 5});
    c.h().elementwise().unary(Unary::Sign, zero, Sink(zero));
    c.expect_exact(zero, {0, -1, 1});
  });
}

OP_CASE("ElementwiseOps::unary", "refuses operands that do not fit") {
  on_all_handlers([](OpCase& c) {
    auto& ops = c.h().elementwise();
    const Tensor x = c.random({2, 3});
    expect_error([&] { ops.unary(Unary::Log, x, Sink(c.random({4}))); }, {"log", "(2, 3)", "(4)"});
    expect_error([&] { ops.unary(Unary::Log, c.i32({6}, Values(6, 1)), Sink(x)); }, {"log", "i32", c.h().name()});
    expect_error([&] { ops.unary(Unary::Log, x, Sink(c.u8({6}, Values(6, 1)))); }, {"log", "u8", c.h().name()});
    expect_error([&] { ops.unary(Unary::Log, ConstTensor(nullptr, c.dtype(), {6}), Sink(x)); }, {"log", "no memory"});
  });
}

OP_CASE("ElementwiseOps::binary", "computes every function in every sink mode") {
  on_all_handlers([](OpCase& c) {
    for (const Binary op : kBinary) {
      for (const Index n : c.odd_sizes()) {
        INFO(name_of(op) << " of " << n);
        const Tensor a = c.random({n}, -3, 3);
        const Tensor b = c.random({n}, 0.5, 2);
        const Values want = map(c.read(a), c.read(b), [&](double x, double y) { return plain(op, x, y); });
        c.expect_sink({n}, want, [&](const Sink& out) { c.h().elementwise().binary(op, a, b, out); });
        const Tensor a2 = c.real({n}, c.read(a));
        c.h().elementwise().binary(op, a2, b, Sink(a2));
        c.expect(a2, want);
        c.h().elementwise().binary(op, a, b, Sink(b));
        c.expect(b, want);
      }
    }
  });
}

OP_CASE("ElementwiseOps::binary", "modulo has the sign of the dividend as in C") {
  on_all_handlers([](OpCase& c) {
    const Tensor out = c.nans({4});
    c.h().elementwise().binary(Binary::Modulo, c.real({4}, {5, -5, 5, -5}), c.real({4}, {3, 3, -3, -3}), Sink(out));
    c.expect_exact(out, {2, -2, 2, -2});
  });
}

OP_CASE("ElementwiseOps::binary", "refuses operands that do not fit") {
  on_all_handlers([](OpCase& c) {
    auto& ops = c.h().elementwise();
    const Tensor x = c.random({6});
    expect_error([&] { ops.binary(Binary::Add, x, c.random({5}), Sink(x)); }, {"add", "(6)", "(5)"});
    expect_error([&] { ops.binary(Binary::Add, x, x, Sink(c.random({2}))); }, {"add", "(6)", "(2)"});
    expect_error([&] { ops.binary(Binary::Divide, x, c.i32({6}, Values(6, 1)), Sink(x)); }, {"divide", "i32"});
    expect_error([&] { ops.binary(Binary::Divide, c.u8({6}, Values(6, 1)), x, Sink(x)); }, {"divide", "u8"});
    expect_error([&] { ops.binary(Binary::Divide, x, x, Sink(c.u8({6}, Values(6, 1)))); }, {"divide", "u8"});
  });
}

OP_CASE("ElementwiseOps::affine", "scales and shifts") {
  on_all_handlers([](OpCase& c) {
    for (const Index n : c.odd_sizes()) {
      const Tensor x = c.random({n});
      const Values want = map(c.read(x), [](double v) { return 2.5 * v - 0.75; });
      c.expect_sink({n}, want, [&](const Sink& out) { c.h().elementwise().affine(x, 2.5, -0.75, out); });
      c.h().elementwise().affine(x, 2.5, -0.75, Sink(x));
      c.expect(x, want);
    }
    expect_error([&] { c.h().elementwise().affine(c.random({2}), 1, 0, Sink(c.random({3}))); }, {"affine", "(2)"});
    expect_error([&] { c.h().elementwise().affine(c.u8({1}, {1}), 1, 0, Sink(c.random({1}))); }, {"affine", "u8"});
    expect_error([&] { c.h().elementwise().affine(c.random({1}), 1, 0, Sink(c.u8({1}, {1}))); }, {"affine", "u8"});
  });
}

OP_CASE("ElementwiseOps::fill", "sets every element") {
  on_all_handlers([](OpCase& c) {
    for (const Index n : c.odd_sizes()) {
      const Tensor x = c.nans({n});
      c.h().elementwise().fill(x, -1.5);
      c.expect_exact(x, Values(static_cast<std::size_t>(n), -1.5));
    }
    expect_error([&] { c.h().elementwise().fill(c.i32({2}, {1, 2}), 0); }, {"fill", "i32"});
  });
}

OP_CASE("ElementwiseOps::clip", "keeps values within limits") {
  on_all_handlers([](OpCase& c) {
    auto& ops = c.h().elementwise();
    for (const Index n : c.odd_sizes()) {
      const Tensor x = c.random({n}, -2, 2);
      const Values want = map(c.read(x), [](double v) { return std::clamp(v, -0.5, 1.25); });
      c.expect_sink({n}, want, [&](const Sink& out) { ops.clip(x, -0.5, 1.25, out); });
      ops.clip(x, -0.5, 1.25, Sink(x));
      c.expect_exact(x, want);
    }
    const Tensor x = c.random({3});
    expect_error([&] { ops.clip(x, 1, -1, Sink(x)); }, {"clip", "1", "-1"});
    expect_error([&] { ops.clip(x, -1, 1, Sink(c.random({4}))); }, {"clip", "(3)", "(4)"});
    expect_error([&] { ops.clip(c.u8({1}, {1}), -1, 1, Sink(c.random({1}))); }, {"clip", "u8"});
    expect_error([&] { ops.clip(x, -1, 1, Sink(c.i32({3}, {1, 1, 1}))); }, {"clip", "i32"});
  });
}

OP_CASE("ElementwiseOps::activate", "computes every activation") {
  on_all_handlers([](OpCase& c) {
    for (const Activation f : kActivations) {
      if (f == Activation::Softmax) continue;
      for (const Index n : c.odd_sizes()) {
        const Tensor x = c.random({n}, -6, 6);
        const Values want = map(c.read(x), [&](double v) { return naive::activate(f, v); });
        const Tensor y = c.nans({n});
        c.h().elementwise().activate(f, x, y);
        c.expect(y, want);
        c.h().elementwise().activate(f, x, x);
        c.expect(x, want);
      }
      const Tensor far = c.real({2}, {-80, 80});  // no overflow on the way
      if (f == Activation::Rel || f == Activation::Linear) continue;
      const Values want = map(c.read(far), [&](double v) { return naive::activate(f, v); });
      c.h().elementwise().activate(f, far, far);
      c.expect(far, want);
    }
  });
}

OP_CASE("ElementwiseOps::activate", "refuses softmax and operands that do not fit") {
  on_all_handlers([](OpCase& c) {
    auto& ops = c.h().elementwise();
    const Tensor x = c.random({3});
    expect_error([&] { ops.activate(Activation::Softmax, x, x); }, {"activate", "softmax", "rows"});
    expect_error([&] { ops.activate(Activation::Rel, x, c.random({2})); }, {"activate", "(3)", "(2)"});
    expect_error([&] { ops.activate(Activation::Rel, c.u8({3}, {1, 1, 1}), x); }, {"activate", "u8"});
    expect_error([&] { ops.activate(Activation::Rel, x, c.u8({3}, {1, 1, 1})); }, {"activate", "u8"});
  });
}

OP_CASE("ElementwiseOps::activate_back", "multiplies by the slope at the output") {
  on_all_handlers([](OpCase& c) {
    for (const Activation f : kActivations) {
      if (f == Activation::Softmax) continue;
      for (const Index n : c.odd_sizes()) {
        const Tensor y =
            c.real({n}, map(c.read(c.random({n}, -2, 2)), [&](double v) { return naive::activate(f, v); }));
        const Tensor dy = c.random({n});
        const Values want = map(c.read(y), c.read(dy), [&](double a, double b) { return naive::slope(f, a) * b; });
        c.expect_sink({n}, want, [&](const Sink& dx) { c.h().elementwise().activate_back(f, y, dy, dx); });
        c.h().elementwise().activate_back(f, y, dy, Sink(dy));
        c.expect(dy, want);
      }
    }
  });
}

OP_CASE("ElementwiseOps::activate_back", "refuses softmax and operands that do not fit") {
  on_all_handlers([](OpCase& c) {
    auto& ops = c.h().elementwise();
    const auto f = Activation::Tanh;
    const Tensor x = c.random({3});
    const Tensor bytes = c.u8({3}, {1, 1, 1});
    expect_error([&] { ops.activate_back(Activation::Softmax, x, x, Sink(x)); }, {"activate_back", "softmax"});
    expect_error([&] { ops.activate_back(f, x, c.random({2}), Sink(x)); }, {"activate_back", "dy", "(2)"});
    expect_error([&] { ops.activate_back(f, x, x, Sink(c.random({2}))); }, {"activate_back", "dx", "(2)"});
    expect_error([&] { ops.activate_back(f, bytes, x, Sink(x)); }, {"activate_back", "y is u8"});
    expect_error([&] { ops.activate_back(f, x, bytes, Sink(x)); }, {"activate_back", "dy is u8"});
    expect_error([&] { ops.activate_back(f, x, x, Sink(bytes)); }, {"activate_back", "dx is u8"});
  });
}

OP_CASE("ElementwiseOps::copy_if", "copies where the condition holds and leaves the rest alone") {
  on_all_handlers([](OpCase& c) {
    for (const Index n : c.odd_sizes()) {
      Values truth;
      for (const Tensor& cond : conditions(c, {n}, truth)) {
        const Tensor a = c.random({n});
        const Tensor out = c.random({n});
        const Values from = c.read(a);
        Values want = c.read(out);
        for (std::size_t i = 0; i < want.size(); ++i) want[i] = truth[i] != 0 ? from[i] : want[i];
        c.h().elementwise().copy_if(a, cond, out);
        c.expect_exact(out, want);
      }
    }
    const Tensor x = c.random({3});
    const Tensor cond = c.u8({3}, {0, 1, 0});
    expect_error([&] { c.h().elementwise().copy_if(c.random({2}), cond, x); }, {"copy_if", "(2)", "(3)"});
    expect_error([&] { c.h().elementwise().copy_if(x, c.u8({2}, {0, 1}), x); }, {"copy_if", "condition", "(2)"});
    expect_error([&] { c.h().elementwise().copy_if(cond, cond, x); }, {"copy_if", "operand is u8"});
    expect_error([&] { c.h().elementwise().copy_if(x, cond, cond); }, {"copy_if", "result is u8"});
    const DType other = c.dtype() == DType::F32 ? DType::F64 : DType::F32;
    expect_error([&] { c.h().elementwise().copy_if(x, c.make(other, {3}), x); }, {"copy_if", "condition is f"});
  });
}

OP_CASE("ElementwiseOps::add_if", "adds where the condition holds and leaves the rest alone") {
  on_all_handlers([](OpCase& c) {
    for (const Index n : c.odd_sizes()) {
      Values truth;
      for (const Tensor& cond : conditions(c, {n}, truth)) {
        const Tensor a = c.whole({n}, -9, 9);
        const Tensor out = c.whole({n}, -9, 9);
        const Values from = c.read(a);
        Values want = c.read(out);
        for (std::size_t i = 0; i < want.size(); ++i) want[i] += truth[i] != 0 ? from[i] : 0;
        c.h().elementwise().add_if(a, cond, out);
        c.expect_exact(out, want);
      }
    }
    const Tensor x = c.random({3});
    const Tensor cond = c.u8({3}, {0, 1, 0});
    expect_error([&] { c.h().elementwise().add_if(c.random({2}), cond, x); }, {"add_if", "(2)", "(3)"});
    expect_error([&] { c.h().elementwise().add_if(x, c.i32({2}, {0, 1}), x); }, {"add_if", "condition", "(2)"});
    expect_error([&] { c.h().elementwise().add_if(cond, cond, x); }, {"add_if", "operand is u8"});
    expect_error([&] { c.h().elementwise().add_if(x, cond, cond); }, {"add_if", "result is u8"});
  });
}

OP_CASE("ElementwiseOps::fill_if", "sets where the condition holds and leaves the rest alone") {
  on_all_handlers([](OpCase& c) {
    for (const Index n : c.odd_sizes()) {
      Values truth;
      for (const Tensor& cond : conditions(c, {n}, truth)) {
        const Tensor out = c.random({n});
        Values want = c.read(out);
        for (std::size_t i = 0; i < want.size(); ++i) want[i] = truth[i] != 0 ? -2.5 : want[i];
        c.h().elementwise().fill_if(-2.5, cond, out);
        c.expect_exact(out, want);
      }
    }
    const Tensor cond = c.u8({3}, {0, 1, 0});
    expect_error([&] { c.h().elementwise().fill_if(1, cond, c.random({2})); }, {"fill_if", "condition", "(3)", "(2)"});
    expect_error([&] { c.h().elementwise().fill_if(1, cond, cond); }, {"fill_if", "u8"});
  });
}

OP_CASE("ElementwiseOps::select_owner", "keeps the weights of one task") {
  on_all_handlers([](OpCase& c) {
    auto& ops = c.h().elementwise();
    for (const Index n : c.odd_sizes()) {
      const Values owners = c.whole_values({n}, 0, 3);
      const Tensor owner = c.u8({n}, owners);
      const Tensor x = c.whole({n}, 1, 9);
      const Values want = map(c.read(x), owners, [](double v, double who) { return who == 2 ? v : 0; });
      c.expect_sink_exact({n}, want, [&](const Sink& out) { ops.select_owner(x, owner, 2, out); });
      ops.select_owner(x, owner, 2, Sink(x));
      c.expect_exact(x, want);
    }
    const Tensor x = c.random({2});
    const Tensor owner = c.u8({2}, {255, 0});
    ops.select_owner(x, owner, 255, Sink(x));
    CHECK(c.read(x)[0] != 0);
    expect_error([&] { ops.select_owner(x, c.u8({3}, {0, 0, 0}), 0, Sink(x)); }, {"select_owner", "(2)", "(3)"});
    expect_error([&] { ops.select_owner(x, c.i32({2}, {0, 0}), 0, Sink(x)); }, {"select_owner", "i32", "u8"});
    expect_error([&] { ops.select_owner(x, owner, 0, Sink(c.random({3}))); }, {"select_owner", "(2)", "(3)"});
    expect_error([&] { ops.select_owner(owner, owner, 0, Sink(x)); }, {"select_owner", "operand is u8"});
    expect_error([&] { ops.select_owner(x, owner, 0, Sink(owner)); }, {"select_owner", "result is u8"});
  });
}

OP_CASE("ElementwiseOps::cast", "converts between all element types and cuts fractions towards zero") {
  on_all_handlers([](OpCase& c) {
    for (const Index n : c.odd_sizes()) {
      const Values whole = c.whole_values({n}, 0, 200);
      for (const DType from : {c.dtype(), DType::I32, DType::U8}) {
        for (const DType to : {c.dtype(), DType::I32, DType::U8}) {
          INFO(name_of(from) << " to " << name_of(to));
          const Tensor out = c.make(to, {n});
          c.h().elementwise().cast(c.upload(HostArray::of(Shape{n}, whole), from), out);
          c.expect_exact(out, whole);
        }
      }
    }
    const Tensor out = c.make(DType::I32, {4});
    c.h().elementwise().cast(c.real({4}, {1.75, -1.75, 0.5, -0.5}), out);
    c.expect_exact(out, {1, -1, 0, 0});
    expect_error([&] { c.h().elementwise().cast(c.random({3}), out); }, {"cast", "(3)", "(4)"});
  });
}

OP_CASE("ElementwiseOps::all_finite", "finds one bad number anywhere and nothing outside the matrix") {
  on_all_handlers([](OpCase& c) {
    const double inf = std::numeric_limits<double>::infinity();
    for (const Index n : c.odd_sizes()) {
      Values values = c.whole_values({n}, -5, 5);
      CHECK(c.h().elementwise().all_finite(c.real({n}, values)));
      for (const Index place : {Index{0}, n / 2, n - 1}) {
        if (n == 0) continue;
        for (const double bad : {kNaN, inf, -inf}) {
          Values spoiled = values;
          spoiled[static_cast<std::size_t>(place)] = bad;
          CHECK_FALSE(c.h().elementwise().all_finite(c.real({n}, spoiled)));
        }
      }
    }
    CHECK(c.h().elementwise().all_finite(c.strided(5, 3, 7, c.whole_values({15}, 0, 9))));
    Values corner(15, 1);
    corner.back() = kNaN;
    CHECK_FALSE(c.h().elementwise().all_finite(c.strided(5, 3, 7, corner)));
  });
}
