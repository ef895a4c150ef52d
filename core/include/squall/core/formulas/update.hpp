// Update rules for one weight. g: gradient, p: weight, state in place. All arithmetic in the weight's type.
#pragma once

#include <cmath>

#include "squall/core/formulas/portable.hpp"

namespace squall::formulas {

template <class R>
SQUALL_HD inline R root(R x) {
  return static_cast<R>(::sqrt(static_cast<double>(x)));
}
template <>
SQUALL_HD inline float root<float>(float x) {
  return ::sqrtf(x);
}

template <class R>
SQUALL_HD inline void sgd(R& p, R g, R rate) {
  p -= rate * g;
}
// v = m v - rate g; p += v  (brainstorm; rate already scaled if wanted)
template <class R>
SQUALL_HD inline void momentum(R& p, R g, R& v, R rate, R mu) {
  v = mu * v - rate * g;
  p += v;
}
// First half of Nesterov: move to the look-ahead point.
template <class R>
SQUALL_HD inline void nesterov_ahead(R& p, R& v, R mu) {
  v = mu * v;
  p += v;
}
// Second half, with the gradient taken there.
template <class R>
SQUALL_HD inline void nesterov_correct(R& p, R g, R& v, R rate) {
  v -= rate * g;
  p -= rate * g;
}
// Adam (Kingma, Ba 2015). `rate` carries the bias corrections: rate = lr sqrt(1 - b2^t) / (1 - b1^t) with `epsilon`
// beside the uncorrected root (Keras), or rate = lr / (1 - b1^t) with `root_scale` = 1 / sqrt(1 - b2^t) (PyTorch).
template <class R>
SQUALL_HD inline void adam(R& p, R g, R& m, R& v, R rate, R b1, R b2, R epsilon, R root_scale) {
  m = b1 * m + (R(1) - b1) * g;
  v = b2 * v + (R(1) - b2) * g * g;
  p -= rate * m / (root(v) * root_scale + epsilon);
}

}  // namespace squall::formulas
