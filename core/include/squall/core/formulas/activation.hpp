// Activations and their derivatives from the output alone (brainstorm's definitions), for one element.
#pragma once

#include <cmath>

#include "squall/core/formulas/portable.hpp"

namespace squall::formulas {

template <class R>
SQUALL_HD inline R sigmoid(R x) {  // stable on both sides
  if (x >= R(0)) return R(1) / (R(1) + static_cast<R>(::exp(static_cast<double>(-x))));
  const R e = static_cast<R>(::exp(static_cast<double>(x)));
  return e / (R(1) + e);
}
template <>
SQUALL_HD inline float sigmoid<float>(float x) {
  if (x >= 0.0F) return 1.0F / (1.0F + ::expf(-x));
  const float e = ::expf(x);
  return e / (1.0F + e);
}
template <class R>
SQUALL_HD inline R rel(R x) {  // NaN stays NaN
  return x > R(0) ? x : (x != x ? x : R(0));
}
SQUALL_HD inline float el(float x) { return x > 0.0F ? x : ::expm1f(x); }
SQUALL_HD inline double el(double x) { return x > 0.0 ? x : ::expm1(x); }
SQUALL_HD inline float tanh_of(float x) { return ::tanhf(x); }
SQUALL_HD inline double tanh_of(double x) { return ::tanh(x); }

// dx = f'(y) dy
template <class R>
SQUALL_HD inline R sigmoid_back(R y, R dy) {
  return dy * y * (R(1) - y);
}
template <class R>
SQUALL_HD inline R rel_back(R y, R dy) {
  return y > R(0) ? dy : R(0);
}
template <class R>
SQUALL_HD inline R tanh_back(R y, R dy) {
  return dy * (R(1) - y * y);
}
template <class R>
SQUALL_HD inline R el_back(R y, R dy) {
  return y > R(0) ? dy : dy * (y + R(1));
}

}  // namespace squall::formulas
