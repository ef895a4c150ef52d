// Criteria of one vector or of several, each example by itself (PyTorch's definitions).
#pragma once

#include "squall/core/formulas/criteria.hpp"

namespace squall::formulas {

// Of logits a with a class number, or with probabilities b of all classes; weights of classes.
template <class R>
struct SoftmaxCrossEntropy {
  static constexpr bool kElement = false;
  R smoothing;
  std::int32_t ignored;
  SQUALL_HD bool counts(const CriterionRow<R>& r) const { return r.b != nullptr || r.label != ignored; }
  SQUALL_HD R share(const CriterionRow<R>& r) const { return counts(r) ? r.weight(r.label) : R(0); }
  // Weight of class i times its probability in the smoothed target.
  SQUALL_HD R target(const CriterionRow<R>& r, std::int64_t i) const {
    const R given = r.b != nullptr ? r.b[i] : (i == r.label ? R(1) : R(0));
    return r.weight(i) * ((R(1) - smoothing) * given + smoothing / static_cast<R>(r.width));
  }
  SQUALL_HD R log_sum(const CriterionRow<R>& r) const {
    R largest = r.a[0], sum = R(0);
    for (std::int64_t i = 1; i < r.width; ++i) largest = r.a[i] > largest ? r.a[i] : largest;
    for (std::int64_t i = 0; i < r.width; ++i) sum += std::exp(r.a[i] - largest);
    return largest + std::log(sum);
  }
  SQUALL_HD R value(const CriterionRow<R>& r) const {
    if (!counts(r)) return R(0);
    const R total = log_sum(r);
    R loss = R(0);
    for (std::int64_t i = 0; i < r.width; ++i) {
      const R q = target(r, i);
      if (q != R(0)) loss += q * (total - r.a[i]);
    }
    return loss;
  }
  SQUALL_HD void back(const CriterionRow<R>& r, R dloss, const CriterionSinks<R>& to) const {
    if (!counts(r)) {
      for (std::int64_t i = 0; i < r.width; ++i) to.a(i, R(0));
      return;
    }
    const R total = log_sum(r);
    R all = R(0);
    for (std::int64_t i = 0; i < r.width; ++i) all += target(r, i);
    for (std::int64_t i = 0; i < r.width; ++i) to.a(i, dloss * (all * std::exp(r.a[i] - total) - target(r, i)));
  }
};

// Of log-probabilities a with a class number; weights of classes.
template <class R>
struct NegativeLikelihood {
  static constexpr bool kElement = false;
  std::int32_t ignored;
  SQUALL_HD R share(const CriterionRow<R>& r) const { return r.label != ignored ? r.weight(r.label) : R(0); }
  SQUALL_HD R value(const CriterionRow<R>& r) const {
    return r.label != ignored ? -r.weight(r.label) * r.a[r.label] : R(0);
  }
  SQUALL_HD void back(const CriterionRow<R>& r, R dloss, const CriterionSinks<R>& to) const {
    for (std::int64_t i = 0; i < r.width; ++i) to.a(i, i == r.label ? -dloss * share(r) : R(0));
  }
};

// Mean over all classes of max(0, margin - a_t + a_i)^power, the right class t left out of the sum.
template <class R>
struct ClassMargins {
  static constexpr bool kElement = false;
  R margin;
  bool squared;
  SQUALL_HD R excess(const CriterionRow<R>& r, std::int64_t i) const {
    return i == r.label ? R(0) : positive_part(margin - r.a[r.label] + r.a[i]);
  }
  SQUALL_HD R value(const CriterionRow<R>& r) const {
    R sum = R(0);
    for (std::int64_t i = 0; i < r.width; ++i) sum += squared ? excess(r, i) * excess(r, i) : excess(r, i);
    return r.weight(r.label) * sum / static_cast<R>(r.width);
  }
  SQUALL_HD void back(const CriterionRow<R>& r, R dloss, const CriterionSinks<R>& to) const {
    const R rate = dloss * r.weight(r.label) / static_cast<R>(r.width);
    R sum = R(0);
    for (std::int64_t i = 0; i < r.width; ++i) {
      const R z = excess(r, i);
      const R delta = z > R(0) ? (squared ? R(2) * rate * z : rate) : R(0);
      sum += delta;
      if (i != r.label) to.a(i, delta);
    }
    to.a(r.label, -sum);
  }
};

// 1 - cos(a, b) where c says alike (above 0), max(0, cos - margin) where it says different.
template <class R>
struct CosineOfPairs {
  static constexpr bool kElement = false;
  R margin;
  struct Angle {
    R cosine, a_square, b_square;
  };
  SQUALL_HD Angle angle(const CriterionRow<R>& r) const {
    R product = R(0), a = R(1e-12), b = R(1e-12);
    for (std::int64_t i = 0; i < r.width; ++i) {
      product += r.a[i] * r.b[i];
      a += r.a[i] * r.a[i];
      b += r.b[i] * r.b[i];
    }
    return {product / std::sqrt(a * b), a, b};
  }
  SQUALL_HD R value(const CriterionRow<R>& r) const {
    const R cosine = angle(r).cosine;
    return *r.c > R(0) ? R(1) - cosine : positive_part(cosine - margin);
  }
  SQUALL_HD void back(const CriterionRow<R>& r, R dloss, const CriterionSinks<R>& to) const {
    const Angle at = angle(r);
    const R rate = *r.c > R(0) ? -dloss : (at.cosine > margin ? dloss : R(0));
    const R norm = std::sqrt(at.a_square * at.b_square);
    for (std::int64_t i = 0; i < r.width; ++i) {
      const R a = r.a[i], b = r.b[i];
      to.a(i, rate * (b / norm - at.cosine * a / at.a_square));
      to.b(i, rate * (a / norm - at.cosine * b / at.b_square));
    }
  }
};

// max(0, margin + |a - b| - |a - c|) with the norm of the given power; c may be measured from b if that is nearer.
template <class R>
struct TripletMargins {
  static constexpr bool kElement = false;
  R margin, power, epsilon;
  bool swap;
  SQUALL_HD R distance(const R* x, const R* y, std::int64_t n) const {
    R sum = R(0);
    for (std::int64_t i = 0; i < n; ++i) {
      const R d = std::abs(x[i] - y[i] + epsilon);
      sum += power == R(2) ? d * d : std::pow(d, power);
    }
    return power == R(2) ? std::sqrt(sum) : std::pow(sum, R(1) / power);
  }
  // Of the distance with respect to x[i]; minus that with respect to y[i].
  SQUALL_HD R slope(R x, R y, R whole) const {
    const R d = x - y + epsilon;
    if (!(whole > R(0))) return R(0);
    return power == R(2) ? d / whole : sign_of(d) * std::pow(std::abs(d) / whole, power - R(1));
  }
  struct Distances {
    R positive, negative;
    bool swapped;
    SQUALL_HD R excess(R least) const { return least + positive - negative; }
  };
  SQUALL_HD Distances distances(const CriterionRow<R>& r) const {
    Distances d{distance(r.a, r.b, r.width), distance(r.a, r.c, r.width), false};
    if (!swap) return d;
    const R other = distance(r.b, r.c, r.width);
    d.swapped = other < d.negative;
    if (d.swapped) d.negative = other;
    return d;
  }
  SQUALL_HD R value(const CriterionRow<R>& r) const { return positive_part(distances(r).excess(margin)); }
  SQUALL_HD void back(const CriterionRow<R>& r, R dloss, const CriterionSinks<R>& to) const {
    const Distances d = distances(r);
    const R rate = d.excess(margin) > R(0) ? dloss : R(0);
    for (std::int64_t i = 0; i < r.width; ++i) {
      const R a = r.a[i], b = r.b[i], c = r.c[i];
      const R near = slope(a, b, d.positive), far = slope(d.swapped ? b : a, c, d.negative);
      to.a(i, rate * (near - (d.swapped ? R(0) : far)));
      to.b(i, rate * (-near - (d.swapped ? far : R(0))));
      to.c(i, rate * far);
    }
  }
};

}  // namespace squall::formulas
