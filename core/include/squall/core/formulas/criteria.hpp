// What formulas of criteria are made of: one example as they see it, and where derivatives go. A formula has
//   value(row)              the loss of the example
//   back(row, dloss, sinks) the derivatives with respect to a, b and c, in this order, times dloss
//   share(row)              what the example weighs in a mean, where that is not 1
// An element formula (kElement) sees one number of a, b and c at a time.
#pragma once

#include <cmath>
#include <cstdint>

#include "squall/core/formulas/portable.hpp"

namespace squall::formulas {

template <class R>
struct CriterionRow {
  const R *a = nullptr, *b = nullptr, *c = nullptr;
  std::int32_t label = 0;
  std::int64_t width = 1;                           // of a
  const R *weights = nullptr, *positive = nullptr;  // of this column, or of all classes
  SQUALL_HD R weight(std::int64_t i) const { return weights == nullptr ? R(1) : weights[i]; }
};

template <class R>
struct PutDelta {
  R* to = nullptr;
  bool add = false;
  SQUALL_HD void operator()(std::int64_t i, R value) const {
    if (to != nullptr) to[i] = add ? to[i] + value : value;
  }
};
template <class R>
struct CriterionSinks {
  PutDelta<R> a, b, c;
};

template <class R>
SQUALL_HD inline R positive_part(R x) {
  return x > R(0) ? x : (x != x ? x : R(0));
}
// ln(1 + e^x)
template <class R>
SQUALL_HD inline R softplus(R x) {
  return positive_part(x) + std::log1p(std::exp(-std::abs(x)));
}
template <class R>
SQUALL_HD inline R logistic(R x) {
  const R e = std::exp(-std::abs(x));
  return (x >= R(0) ? R(1) : e) / (R(1) + e);
}
template <class R>
SQUALL_HD inline R sign_of(R x) {
  return x > R(0) ? R(1) : (x < R(0) ? R(-1) : R(0));
}

}  // namespace squall::formulas
