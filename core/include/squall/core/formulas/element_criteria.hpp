// Criteria that compare number with number: a is what the network says, b the target (PyTorch's definitions).
#pragma once

#include "squall/core/formulas/criteria.hpp"

namespace squall::formulas {

// --- criteria of the difference d = a - b

template <class R>
struct AbsoluteDifference {
  SQUALL_HD R value(R d) const { return std::abs(d); }
  SQUALL_HD R slope(R d) const { return sign_of(d); }
};
template <class R>
struct SquareDifference {
  SQUALL_HD R value(R d) const { return d * d; }
  SQUALL_HD R slope(R d) const { return R(2) * d; }
};
// d^2 / 2 beta up to beta, then |d| - beta / 2.
template <class R>
struct SmoothDifference {
  R beta;
  SQUALL_HD R value(R d) const {
    const R size = std::abs(d);
    return size < beta ? R(0.5) * size * size / beta : size - R(0.5) * beta;
  }
  SQUALL_HD R slope(R d) const { return std::abs(d) < beta ? d / beta : sign_of(d); }
};
// d^2 / 2 up to delta, then delta (|d| - delta / 2).
template <class R>
struct HuberDifference {
  R delta;
  SQUALL_HD R value(R d) const {
    const R size = std::abs(d);
    return size <= delta ? R(0.5) * size * size : delta * (size - R(0.5) * delta);
  }
  SQUALL_HD R slope(R d) const { return std::abs(d) <= delta ? d : delta * sign_of(d); }
};

template <class R, class Difference>
struct OfDifference {
  static constexpr bool kElement = true;
  Difference f;
  SQUALL_HD R value(const CriterionRow<R>& r) const { return f.value(*r.a - *r.b); }
  SQUALL_HD void back(const CriterionRow<R>& r, R dloss, const CriterionSinks<R>& to) const {
    const R delta = dloss * f.slope(*r.a - *r.b);
    to.a(0, delta);
    to.b(0, -delta);
  }
};

// --- criteria whose targets get no derivative

template <class R, class F>
struct OfInput {
  static constexpr bool kElement = true;
  F f;
  SQUALL_HD R value(const CriterionRow<R>& r) const { return f.value(r); }
  SQUALL_HD void back(const CriterionRow<R>& r, R dloss, const CriterionSinks<R>& to) const {
    to.a(0, dloss * f.slope(r));
  }
};

// Of probabilities; logarithms are at least -100.
template <class R>
struct BinaryCrossEntropy {
  SQUALL_HD R value(const CriterionRow<R>& r) const {
    const R yes = std::log(*r.a), no = std::log1p(-*r.a);
    return -r.weight(0) * (*r.b * (yes < R(-100) ? R(-100) : yes) + (R(1) - *r.b) * (no < R(-100) ? R(-100) : no));
  }
  SQUALL_HD R slope(const CriterionRow<R>& r) const {
    const R variance = (R(1) - *r.a) * *r.a;
    return r.weight(0) * (*r.a - *r.b) / (variance < R(1e-12) ? R(1e-12) : variance);
  }
};
template <class R>
struct BinaryCrossEntropyOfLogits {
  SQUALL_HD R positive(const CriterionRow<R>& r) const { return *r.b * (r.positive == nullptr ? R(1) : *r.positive); }
  SQUALL_HD R value(const CriterionRow<R>& r) const {
    return r.weight(0) * (positive(r) * softplus(-*r.a) + (R(1) - *r.b) * softplus(*r.a));
  }
  SQUALL_HD R slope(const CriterionRow<R>& r) const {
    return r.weight(0) * ((R(1) - *r.b) * logistic(*r.a) - positive(r) * logistic(-*r.a));
  }
};

// Divergence of the distribution b from the one whose logarithms are a.
template <class R>
struct Divergence {
  bool log_target;
  SQUALL_HD R value(const CriterionRow<R>& r) const {
    if (log_target) return std::exp(*r.b) * (*r.b - *r.a);
    return *r.b > R(0) ? *r.b * (std::log(*r.b) - *r.a) : R(0);
  }
  SQUALL_HD R slope(const CriterionRow<R>& r) const {
    if (log_target) return -std::exp(*r.b);
    return *r.b > R(0) ? -*r.b : R(0);
  }
};

// -ln of a Poisson distribution with mean e^a (or a), without the term of the target alone, or with Stirling's.
template <class R>
struct PoissonLikelihood {
  bool log_input, full;
  R epsilon;
  SQUALL_HD R value(const CriterionRow<R>& r) const {
    const R t = *r.b;
    R loss = log_input ? std::exp(*r.a) - t * *r.a : *r.a - t * std::log(*r.a + epsilon);
    if (full && t > R(1)) loss += t * std::log(t) - t + R(0.5) * std::log(R(6.283185307179586) * t);
    return loss;
  }
  SQUALL_HD R slope(const CriterionRow<R>& r) const {
    return log_input ? std::exp(*r.a) - *r.b : R(1) - *r.b / (*r.a + epsilon);
  }
};

// ln(1 + e^(-ba))
template <class R>
struct SoftMarginOf {
  SQUALL_HD R value(const CriterionRow<R>& r) const { return softplus(-*r.b * *r.a); }
  SQUALL_HD R slope(const CriterionRow<R>& r) const { return -*r.b * logistic(-*r.b * *r.a); }
};

// a where b says alike (above 0), max(0, margin - a) where it says different.
template <class R>
struct HingeOfDistance {
  R margin;
  SQUALL_HD R value(const CriterionRow<R>& r) const { return *r.b > R(0) ? *r.a : positive_part(margin - *r.a); }
  SQUALL_HD R slope(const CriterionRow<R>& r) const {
    return *r.b > R(0) ? R(1) : (margin - *r.a > R(0) ? R(-1) : R(0));
  }
};

// --- criteria of three numbers

// -ln of a normal distribution with mean a and variance c, at b.
template <class R>
struct GaussianLikelihood {
  static constexpr bool kElement = true;
  bool full;
  R epsilon;
  SQUALL_HD R variance(const CriterionRow<R>& r) const { return *r.c < epsilon ? epsilon : *r.c; }
  SQUALL_HD R value(const CriterionRow<R>& r) const {
    const R d = *r.a - *r.b, v = variance(r);
    return R(0.5) * (std::log(v) + d * d / v) + (full ? R(0.9189385332046727) : R(0));
  }
  SQUALL_HD void back(const CriterionRow<R>& r, R dloss, const CriterionSinks<R>& to) const {
    const R v = variance(r), error = (*r.a - *r.b) / v;
    to.a(0, dloss * error);
    to.b(0, -dloss * error);
    to.c(0, R(0.5) * dloss * (R(1) / v - error * error));
  }
};

// max(0, margin - (a - b)) where c says that a is to be larger (above 0), else with b - a.
template <class R>
struct RankingMargin {
  static constexpr bool kElement = true;
  R margin;
  SQUALL_HD R side(const CriterionRow<R>& r) const { return *r.c > R(0) ? R(1) : R(-1); }
  SQUALL_HD R value(const CriterionRow<R>& r) const { return positive_part(margin - side(r) * (*r.a - *r.b)); }
  SQUALL_HD void back(const CriterionRow<R>& r, R dloss, const CriterionSinks<R>& to) const {
    const R delta = margin - side(r) * (*r.a - *r.b) > R(0) ? dloss * side(r) : R(0);
    to.a(0, -delta);
    to.b(0, delta);
  }
};

}  // namespace squall::formulas
