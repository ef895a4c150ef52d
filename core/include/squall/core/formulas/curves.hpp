// Activations with their derivative from the input, for one element; `a` and `b` are their numbers.
#pragma once

#include <cmath>

#include "squall/core/formulas/activation.hpp"
#include "squall/core/formulas/portable.hpp"

namespace squall::formulas {

SQUALL_HD inline float exp_of(float x) { return ::expf(x); }
SQUALL_HD inline double exp_of(double x) { return ::exp(x); }
SQUALL_HD inline float expm1_of(float x) { return ::expm1f(x); }
SQUALL_HD inline double expm1_of(double x) { return ::expm1(x); }
SQUALL_HD inline float log1p_of(float x) { return ::log1pf(x); }
SQUALL_HD inline double log1p_of(double x) { return ::log1p(x); }

template <class R>
SQUALL_HD inline R softplus(R x) {  // ln(1 + e^x), stable on both sides
  return (x > R(0) ? x : R(0)) + log1p_of(exp_of(x > R(0) ? -x : x));
}

template <class R>
struct EluCurve {  // b x above 0, b a (e^x - 1) below (Clevert et al. 2016; with other numbers Klambauer et al. 2017)
  R a, b;
  SQUALL_HD inline R value(R x) const { return b * (x > R(0) ? x : a * expm1_of(x)); }
  SQUALL_HD inline R slope(R x) const { return b * (x > R(0) ? R(1) : a * exp_of(x)); }
};
template <class R>
struct CeluCurve {  // a (e^(x / a) - 1) below 0: its slope has no step (Barron 2017)
  R a, b;
  SQUALL_HD inline R value(R x) const { return x > R(0) ? x : a * expm1_of(x / a); }
  SQUALL_HD inline R slope(R x) const { return x > R(0) ? R(1) : exp_of(x / a); }
};
template <class R>
struct MishCurve {  // x tanh(ln(1 + e^x)) (Misra 2020)
  R a, b;
  SQUALL_HD inline R value(R x) const { return x * tanh_of(softplus(x)); }
  SQUALL_HD inline R slope(R x) const {
    const R t = tanh_of(softplus(x));
    return t + x * (R(1) - t * t) * sigmoid(x);
  }
};
template <class R>
struct LogSigmoidCurve {
  R a, b;
  SQUALL_HD inline R value(R x) const { return -softplus(-x); }
  SQUALL_HD inline R slope(R x) const { return sigmoid(-x); }
};
template <class R>
struct HardSigmoidCurve {  // a x + 1/2 between 0 and 1; b is the slope that goes back
  R a, b;
  SQUALL_HD inline R value(R x) const {
    const R y = a * x + R(0.5);
    return y < R(0) ? R(0) : y > R(1) ? R(1) : y;
  }
  SQUALL_HD inline R slope(R x) const {
    const R y = a * x + R(0.5);
    return y > R(0) && y < R(1) ? b : R(0);
  }
};
template <class R>
struct HardSwishCurve {  // x hardsigmoid(x) (Howard et al. 2019)
  R a, b;
  SQUALL_HD inline R value(R x) const { return x <= R(-3) ? R(0) : x >= R(3) ? x : x * (x + R(3)) / R(6); }
  SQUALL_HD inline R slope(R x) const { return x <= R(-3) ? R(0) : x >= R(3) ? R(1) : x / R(3) + R(0.5); }
};
template <class R>
struct HardTanhCurve {  // from a to b
  R a, b;
  SQUALL_HD inline R value(R x) const { return x < a ? a : x > b ? b : x; }
  SQUALL_HD inline R slope(R x) const { return x > a && x < b ? R(1) : R(0); }
};
template <class R>
struct HardShrinkCurve {  // 0 from -a to a
  R a, b;
  SQUALL_HD inline R value(R x) const { return x >= -a && x <= a ? R(0) : x; }
  SQUALL_HD inline R slope(R x) const { return x >= -a && x <= a ? R(0) : R(1); }
};
template <class R>
struct SoftShrinkCurve {  // nearer to 0 by a
  R a, b;
  SQUALL_HD inline R value(R x) const { return x > a ? x - a : x < -a ? x + a : x - x; }
  SQUALL_HD inline R slope(R x) const { return x >= -a && x <= a ? R(0) : R(1); }
};
template <class R>
struct SoftPlusCurve {  // ln(1 + e^(a x)) / a; x itself where a x is above b
  R a, b;
  SQUALL_HD inline R value(R x) const { return a * x > b ? x : softplus(a * x) / a; }
  SQUALL_HD inline R slope(R x) const { return a * x > b ? R(1) : sigmoid(a * x); }
};
template <class R>
struct SoftSignCurve {
  R a, b;
  SQUALL_HD inline R whole(R x) const { return R(1) + (x < R(0) ? -x : x); }
  SQUALL_HD inline R value(R x) const { return x / whole(x); }
  SQUALL_HD inline R slope(R x) const { return R(1) / (whole(x) * whole(x)); }
};
template <class R>
struct TanhShrinkCurve {  // x - tanh x
  R a, b;
  SQUALL_HD inline R value(R x) const { return x - tanh_of(x); }
  SQUALL_HD inline R slope(R x) const { return tanh_of(x) * tanh_of(x); }
};
template <class R>
struct LeakyReluCurve {  // a x below 0
  R a, b;
  SQUALL_HD inline R value(R x) const { return x > R(0) ? x : a * x; }
  SQUALL_HD inline R slope(R x) const { return x > R(0) ? R(1) : a; }
};
template <class R>
struct ExponentialCurve {
  R a, b;
  SQUALL_HD inline R value(R x) const { return exp_of(x); }
  SQUALL_HD inline R slope(R x) const { return exp_of(x); }
};

}  // namespace squall::formulas
