// Functions of one or two elements, chosen by number: one kernel serves all of them.
#pragma once

#include <cmath>

#include "squall/core/formulas/curves.hpp"
#include "squall/core/ops/elementwise.hpp"

namespace squall::cuda::SQUALL_GRID {

SQUALL_HD inline float log_of(float x) { return ::logf(x); }
SQUALL_HD inline double log_of(double x) { return ::log(x); }
SQUALL_HD inline float root_of(float x) { return ::sqrtf(x); }
SQUALL_HD inline double root_of(double x) { return ::sqrt(x); }
SQUALL_HD inline float mod_of(float a, float b) { return ::fmodf(a, b); }
SQUALL_HD inline double mod_of(double a, double b) { return ::fmod(a, b); }
SQUALL_HD inline float erf_of(float x) { return ::erff(x); }
SQUALL_HD inline double erf_of(double x) { return ::erf(x); }
SQUALL_HD inline float power_of(float x, float p) { return ::powf(x, p); }
SQUALL_HD inline double power_of(double x, double p) { return ::pow(x, p); }

template <class R>
SQUALL_HD inline R apply(Unary op, R x) {
  switch (op) {
    case Unary::Copy: return x;
    case Unary::Negate: return -x;
    case Unary::Abs: return x < R(0) ? -x : x + R(0);  // -0 gives 0
    case Unary::Log: return log_of(x);
    case Unary::Sqrt: return root_of(x);
    case Unary::Sign: return x > R(0) ? R(1) : (x < R(0) ? R(-1) : x);
    case Unary::Square: return x * x;
    case Unary::Exp: return formulas::exp_of(x);
    case Unary::Reciprocal: return R(1) / x;
  }
  return x;
}

// NaN in either operand of the maximum and the minimum gives NaN.
template <class R>
SQUALL_HD inline R apply(Binary op, R a, R b) {
  switch (op) {
    case Binary::Add: return a + b;
    case Binary::Subtract: return a - b;
    case Binary::Multiply: return a * b;
    case Binary::Divide: return a / b;
    case Binary::Modulo: return mod_of(a, b);
    case Binary::Maximum: return a > b || a != a ? a : b;
    case Binary::Minimum: return a < b || a != a ? a : b;
  }
  return a;
}

template <class R>
SQUALL_HD inline R apply(Activation f, R x) {
  switch (f) {
    case Activation::Rel: return formulas::rel(x);
    case Activation::Tanh: return formulas::tanh_of(x);
    case Activation::Sigmoid: return formulas::sigmoid(x);
    case Activation::El: return formulas::el(x);
    case Activation::Linear:
    case Activation::Softmax: break;
  }
  return x;
}
template <class R>
SQUALL_HD inline R apply_back(Activation f, R y, R dy) {
  switch (f) {
    case Activation::Rel: return formulas::rel_back(y, dy);
    case Activation::Tanh: return formulas::tanh_back(y, dy);
    case Activation::Sigmoid: return formulas::sigmoid_back(y, dy);
    case Activation::El: return formulas::el_back(y, dy);
    case Activation::Linear:
    case Activation::Softmax: break;
  }
  return dy;
}

// The curves that have no formula of their own in formulas/curves.hpp.
template <class R>
struct GeluCurve {
  SQUALL_HD R share(R x) const { return R(0.5) * (R(1) + erf_of(x * R(0.70710678118654752440))); }  // P(X <= x)
  SQUALL_HD R value(R x) const { return x * share(x); }
  SQUALL_HD R slope(R x) const { return share(x) + x * R(0.39894228040143267794) * formulas::exp_of(R(-0.5) * x * x); }
};
template <class R>
struct GeluTanhCurve {
  SQUALL_HD R inner(R x) const { return formulas::tanh_of(R(0.79788456080286535588) * (x + R(0.044715) * x * x * x)); }
  SQUALL_HD R value(R x) const { return R(0.5) * x * (R(1) + inner(x)); }
  SQUALL_HD R slope(R x) const {
    const R t = inner(x);
    return R(0.5) * (R(1) + t) +
           R(0.5) * x * (R(1) - t * t) * R(0.79788456080286535588) * (R(1) + R(3 * 0.044715) * x * x);
  }
};
template <class R>
struct SiluCurve {
  SQUALL_HD R value(R x) const { return x * formulas::sigmoid(x); }
  SQUALL_HD R slope(R x) const {
    const R s = formulas::sigmoid(x);
    return s * (R(1) + x * (R(1) - s));
  }
};

template <bool kSlope, class R, class C>
SQUALL_HD inline R curve_part(const C& c, R x) {
  if constexpr (kSlope)
    return c.slope(x);
  else
    return c.value(x);
}

// The value or the slope of a curve with the numbers a and b.
template <bool kSlope, class R>
SQUALL_HD inline R curve_at(Curve f, R a, R b, R x) {
  using namespace formulas;
  switch (f) {
    case Curve::Gelu: return curve_part<kSlope>(GeluCurve<R>{}, x);
    case Curve::GeluTanh: return curve_part<kSlope>(GeluTanhCurve<R>{}, x);
    case Curve::Silu: return curve_part<kSlope>(SiluCurve<R>{}, x);
    case Curve::Elu: return curve_part<kSlope>(EluCurve<R>{a, b}, x);
    case Curve::Celu: return curve_part<kSlope>(CeluCurve<R>{a, b}, x);
    case Curve::Mish: return curve_part<kSlope>(MishCurve<R>{a, b}, x);
    case Curve::LogSigmoid: return curve_part<kSlope>(LogSigmoidCurve<R>{a, b}, x);
    case Curve::HardSigmoid: return curve_part<kSlope>(HardSigmoidCurve<R>{a, b}, x);
    case Curve::HardSwish: return curve_part<kSlope>(HardSwishCurve<R>{a, b}, x);
    case Curve::HardTanh: return curve_part<kSlope>(HardTanhCurve<R>{a, b}, x);
    case Curve::HardShrink: return curve_part<kSlope>(HardShrinkCurve<R>{a, b}, x);
    case Curve::SoftShrink: return curve_part<kSlope>(SoftShrinkCurve<R>{a, b}, x);
    case Curve::SoftPlus: return curve_part<kSlope>(SoftPlusCurve<R>{a, b}, x);
    case Curve::SoftSign: return curve_part<kSlope>(SoftSignCurve<R>{a, b}, x);
    case Curve::TanhShrink: return curve_part<kSlope>(TanhShrinkCurve<R>{a, b}, x);
    case Curve::LeakyRelu: return curve_part<kSlope>(LeakyReluCurve<R>{a, b}, x);
    case Curve::Exponential: return curve_part<kSlope>(ExponentialCurve<R>{a, b}, x);
  }
  return x;
}

}  // namespace squall::cuda::SQUALL_GRID
