// Second derivatives of activations: against differences of the first, far away, and at corners.
#include "squall/core/ops/elementwise.hpp"
#include "support/op_case_plan.hpp"

using namespace squall;
using namespace squall::test;

namespace {

struct CurveCase {
  Curve f;
  CurveNumbers numbers;
};
const CurveCase kCurves[] = {{Curve::Gelu, {}},
                             {Curve::GeluTanh, {}},
                             {Curve::Silu, {}},
                             {Curve::Elu, {1.5, 1.2}},
                             {Curve::Celu, {0.7, 0}},
                             {Curve::Mish, {}},
                             {Curve::LogSigmoid, {}},
                             {Curve::HardSigmoid, {0.2, 0.2}},
                             {Curve::HardSwish, {}},
                             {Curve::HardTanh, {-1, 1}},
                             {Curve::HardShrink, {0.5, 0}},
                             {Curve::SoftShrink, {0.5, 0}},
                             {Curve::SoftPlus, {2, 20}},
                             {Curve::SoftSign, {}},
                             {Curve::TanhShrink, {}},
                             {Curve::LeakyRelu, {0.3, 0}},
                             {Curve::Exponential, {}}};

// Differences of slopes in double precision; the points lie beside all corners.
Values differences(const Values& x, const Values& dy, double h, const std::function<Values(const Values&)>& slopes) {
  Values up = x, down = x, out = x;
  for (std::size_t i = 0; i < x.size(); ++i) up[i] += h, down[i] -= h;
  const Values high = slopes(up), low = slopes(down);
  for (std::size_t i = 0; i < x.size(); ++i) out[i] = dy[i] * (high[i] - low[i]) / (2 * h);
  return out;
}

Values points() {
  Values x;
  for (double v = -4.11; v < 4.2; v += 0.17) x.push_back(v);
  return x;
}

void expect_second(OpCase& c, const Values& want, const std::function<void(const Sink&)>& second) {
  const auto n = static_cast<Index>(want.size());
  const double tolerance = std::max(c.tolerance(), 1e-7);
  const Tensor over = c.nans({n}), sum = c.constant({n}, 2);
  second(Sink(over));
  c.expect(c.read(over), want, tolerance);
  second(Sink(sum, Write::Add));
  Values more = want;
  for (double& v : more) v += 2;
  c.expect(c.read(sum), more, tolerance);
}

}  // namespace

OP_CASE("ElementwiseOps::curve_second", "is the derivative of the slope in every sink mode") {
  on_all_handlers([](OpCase& c) {
    OpCase in_double({"cpu:f64", 1e-12});
    const Values x = points();
    const auto n = static_cast<Index>(x.size());
    const Tensor dy = c.random({n});
    for (const CurveCase& curve : kCurves) {
      const auto slopes = [&](const Values& at) {
        const Tensor ones = in_double.constant({n}, 1), out = in_double.nans({n});
        in_double.h().elementwise().curve_back(curve.f, in_double.real({n}, at), ones, Sink(out), curve.numbers);
        return in_double.read(out);
      };
      INFO("curve " << static_cast<int>(curve.f));
      const Tensor in = c.real({n}, x);
      expect_second(c, differences(c.read(in), c.read(dy), 1e-5, slopes),
                    [&](const Sink& to) { c.h().elementwise().curve_second(curve.f, in, dy, to, curve.numbers); });
    }
    expect_error(
        [&] { c.h().elementwise().curve_second(Curve::Silu, c.random({3}), c.random({4}), Sink(c.nans({3}))); },
        {"curve_second", "(3)"});
  });
}

OP_CASE("ElementwiseOps::activate_second", "is the derivative of the slope from the output in every sink mode") {
  on_all_handlers([](OpCase& c) {
    OpCase in_double({"cpu:f64", 1e-12});
    const Values x = points();
    const auto n = static_cast<Index>(x.size());
    const Tensor dy = c.random({n});
    for (const Activation f :
         {Activation::Linear, Activation::Rel, Activation::Tanh, Activation::Sigmoid, Activation::El}) {
      const auto slopes = [&](const Values& at) {
        const Tensor ones = in_double.constant({n}, 1), out = in_double.nans({n}), y = in_double.nans({n});
        in_double.h().elementwise().activate(f, in_double.real({n}, at), y);
        in_double.h().elementwise().activate_back(f, y, ones, Sink(out));
        return in_double.read(out);
      };
      INFO("activation " << static_cast<int>(f));
      const Tensor in = c.real({n}, x), y = c.nans({n});
      c.h().elementwise().activate(f, in, y);
      expect_second(c, differences(c.read(in), c.read(dy), 1e-5, slopes),
                    [&](const Sink& to) { c.h().elementwise().activate_second(f, y, dy, to); });
    }
    expect_error([&] { c.h().elementwise().activate_second(Activation::Softmax, dy, dy, Sink(c.nans({n}))); },
                 {"softmax"});
  });
}

TEST_CASE("values and both derivatives of activations are finite far away") {
  on_all_handlers([](OpCase& c) {
    const Tensor x = c.real({2}, {-1000, 1000}), ones = c.constant({2}, 1);
    ElementwiseOps& each = c.h().elementwise();
    for (const CurveCase& curve : kCurves) {
      if (curve.f == Curve::Exponential) continue;  // grows beyond all numbers
      INFO("curve " << static_cast<int>(curve.f));
      const Tensor y = c.nans({2}), slope = c.nans({2}), second = c.nans({2});
      each.curve(curve.f, x, y, curve.numbers);
      each.curve_back(curve.f, x, ones, Sink(slope), curve.numbers);
      each.curve_second(curve.f, x, ones, Sink(second), curve.numbers);
      for (const Tensor& t : {y, slope, second}) CHECK(each.all_finite(ConstMatrix(t)));
      c.expect(c.read(second), {0, 0}, 1e-6);
    }
    for (const Activation f :
         {Activation::Linear, Activation::Rel, Activation::Tanh, Activation::Sigmoid, Activation::El}) {
      const Tensor y = c.nans({2}), second = c.nans({2});
      each.activate(f, x, y);
      each.activate_second(f, y, ones, Sink(second));
      c.expect(c.read(second), {0, 0}, 1e-6);
    }
  });
}
