// Activations whose derivative needs their input, against their formulas in double.
#include "squall/core/ops/elementwise.hpp"
#include "support/op_case_plan.hpp"

using namespace squall;
using namespace squall::test;

namespace {

double plain(Curve f, double x) {
  if (f == Curve::Gelu) return x * 0.5 * std::erfc(-x / std::sqrt(2.0));
  if (f == Curve::Silu) return x * naive::sigmoid(x);
  return 0.5 * x * (1 + std::tanh(std::sqrt(2 / std::acos(-1.0)) * (x + 0.044715 * x * x * x)));
}

}  // namespace

OP_CASE("ElementwiseOps::curve", "computes every function") {
  on_all_handlers([](OpCase& c) {
    for (const Curve f : {Curve::Gelu, Curve::GeluTanh, Curve::Silu})
      for (const Index n : c.odd_sizes()) {
        const Tensor x = c.random({n}, -6, 6), y = c.nans({n});
        Values want = c.read(x);
        for (double& v : want) v = plain(f, v);
        c.h().elementwise().curve(f, x, y);
        c.expect(y, want);
      }
    const Tensor far = c.real({3}, {-1000, 0, 1000}), y = c.nans({3});
    for (const Curve f : {Curve::Gelu, Curve::GeluTanh, Curve::Silu}) {
      c.h().elementwise().curve(f, far, y);
      c.expect(y, {0, 0, 1000});
    }
  });
}

OP_CASE("ElementwiseOps::curve_back", "is the derivative in every sink mode") {
  on_all_handlers([](OpCase& c) {
    for (const Curve f : {Curve::Gelu, Curve::GeluTanh, Curve::Silu}) {
      const Tensor x = c.random({65}, -4, 4), dy = c.random({65});
      Values want = c.read(x);
      const Values delta = c.read(dy);
      for (std::size_t i = 0; i < want.size(); ++i)
        want[i] = delta[i] * (plain(f, want[i] + 1e-5) - plain(f, want[i] - 1e-5)) / 2e-5;
      const Tensor over = c.nans({65}), sum = c.constant({65}, 2);
      c.h().elementwise().curve_back(f, x, dy, Sink(over));
      c.expect(c.read(over), want, std::max(c.tolerance(), 1e-8));
      c.h().elementwise().curve_back(f, x, dy, Sink(sum, Write::Add));
      for (double& v : want) v += 2;
      c.expect(c.read(sum), want, std::max(c.tolerance(), 1e-8));
    }
    expect_error([&] { c.h().elementwise().curve(Curve::Gelu, c.random({3}), c.random({4})); }, {"curve", "(3)"});
  });
}
