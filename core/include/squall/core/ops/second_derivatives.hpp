// Second derivatives of activations for one element, for kernels: of curves from the input, of the others from the
// output. At corners they are 0, as their slopes are those of one side.
#pragma once

#include "squall/core/formulas/curves.hpp"
#include "squall/core/ops/elementwise.hpp"

namespace squall::formulas {

template <class R>
SQUALL_HD inline R gelu_second(R x) {
  return R(0.39894228040143267794) * exp_of(R(-0.5) * x * x) * (R(2) - x * x);
}
template <class R>
SQUALL_HD inline R gelu_tanh_second(R x) {  // of x (1 + tanh u) / 2
  constexpr double kScale = 0.79788456080286535588, kCubic = 0.044715;
  const R t = tanh_of(R(kScale) * (x + R(kCubic) * x * x * x));
  const R slope = R(kScale) * (R(1) + R(3 * kCubic) * x * x), bend = R(6 * kScale * kCubic) * x;
  return (R(1) - t * t) * (slope + R(0.5) * x * (bend - R(2) * t * slope * slope));
}
template <class R>
SQUALL_HD inline R silu_second(R x) {
  const R s = sigmoid(x);
  return s * sigmoid(-x) * (R(2) + x * (R(1) - R(2) * s));
}
template <class R>
SQUALL_HD inline R mish_second(R x) {
  const R s = sigmoid(x), t = tanh_of(softplus(x));
  return (R(1) - t * t) * s * (R(2) + x * (R(1) - s - R(2) * t * s));
}
template <class R>
SQUALL_HD inline R softsign_second(R x) {
  const R whole = R(1) + (x < R(0) ? -x : x);
  return (x < R(0) ? R(2) : x > R(0) ? R(-2) : R(0)) / (whole * whole * whole);
}
template <class R>
SQUALL_HD inline R tanh_shrink_second(R x) {
  const R t = tanh_of(x);
  return R(2) * t * (R(1) - t * t);
}

// With the numbers a and b of CurveNumbers.
template <class R>
SQUALL_HD inline R curve_second(Curve f, R a, R b, R x) {
  switch (f) {
    case Curve::Gelu: return gelu_second(x);
    case Curve::GeluTanh: return gelu_tanh_second(x);
    case Curve::Silu: return silu_second(x);
    case Curve::Elu: return x > R(0) ? R(0) : b * a * exp_of(x);
    case Curve::Celu: return x > R(0) ? R(0) : exp_of(x / a) / a;
    case Curve::Mish: return mish_second(x);
    case Curve::LogSigmoid: return -sigmoid(x) * sigmoid(-x);
    case Curve::HardSwish: return x > R(-3) && x < R(3) ? R(1) / R(3) : R(0);
    case Curve::SoftPlus: return a * x > b ? R(0) : a * sigmoid(a * x) * sigmoid(-a * x);
    case Curve::SoftSign: return softsign_second(x);
    case Curve::TanhShrink: return tanh_shrink_second(x);
    case Curve::Exponential: return exp_of(x);
    case Curve::HardSigmoid:
    case Curve::HardTanh:
    case Curve::HardShrink:
    case Curve::SoftShrink:
    case Curve::LeakyRelu: break;  // lines with corners
  }
  return R(0);
}

template <class R>
SQUALL_HD inline R activation_second(Activation f, R y) {
  switch (f) {
    case Activation::Tanh: return R(-2) * y * (R(1) - y * y);
    case Activation::Sigmoid: return y * (R(1) - y) * (R(1) - R(2) * y);
    case Activation::El: return y > R(0) ? R(0) : y + R(1);
    case Activation::Linear:
    case Activation::Rel:
    case Activation::Softmax: break;
  }
  return R(0);
}

}  // namespace squall::formulas
