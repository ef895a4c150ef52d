// Row programs of matrix operations and losses (see rows.hpp).
#pragma once

#include "cuda/kernels/math.hpp"
#include "cuda/kernels/rows.hpp"

namespace squall::cuda::SQUALL_GRID {

SQUALL_HD inline double lowest() { return -1.7976931348623157e308; }
// NaN wins and stays.
SQUALL_HD inline double larger(double a, double b) { return b > a || b != b ? (a != a ? a : b) : a; }
SQUALL_HD inline double infinity_below() { return -HUGE_VAL; }

template <class R>
struct RowSum {
  static constexpr int kStages = 1;
  const R* x;
  R* out;
  Index n, ld;
  bool add;
  SQUALL_HD double partial(int, Index row, Index first, Index step, const double*) const {
    double sum = 0;
    for (Index i = first; i < n; i += step) sum += static_cast<double>(x[row * ld + i]);
    return sum;
  }
  SQUALL_HD double combine(int, double a, double b) const { return a + b; }
  SQUALL_HD void finish(Index row, Index first, Index, const double* totals) const {
    if (first == 0) put(out + row, static_cast<R>(totals[0]), add);
  }
};

// The largest of each row, and its first place; the first NaN counts as the largest. Either result may be null.
template <class R>
struct RowLargest {
  static constexpr int kStages = 2;
  const R* x;
  R* value;
  std::int32_t* place;
  Index n, ld;
  SQUALL_HD double partial(int stage, Index row, Index first, Index step, const double* totals) const {
    const R* in = x + row * ld;
    double best = stage == 0 ? infinity_below() : static_cast<double>(n);
    for (Index i = first; i < n; i += step) {
      const double v = static_cast<double>(in[i]);
      if (stage == 0) {
        best = larger(best, v);
      } else if (v == totals[0] || (v != v && totals[0] != totals[0])) {
        return static_cast<double>(i);
      }
    }
    return best;
  }
  SQUALL_HD double combine(int stage, double a, double b) const {
    if (stage == 0) return larger(a, b);
    return b < a ? b : a;
  }
  SQUALL_HD void finish(Index row, Index first, Index, const double* totals) const {
    if (first != 0) return;
    if (value != nullptr) value[row] = static_cast<R>(totals[0]);
    if (place != nullptr) place[row] = static_cast<std::int32_t>(totals[1]);
  }
};

// Softmax of each row, and with targets the cross entropy, at most `limit`.
template <class R>
struct RowSoftmax {
  static constexpr int kStages = 2;
  const R* x;
  R* out;
  const std::int32_t* targets;  // or null
  R* loss;                      // or null
  FaultKey* fault;
  Index n, ld, out_ld;
  double limit;
  SQUALL_HD double partial(int stage, Index row, Index first, Index step, const double* totals) const {
    const R* in = x + row * ld;
    if (stage == 0) {
      double top = infinity_below();
      for (Index i = first; i < n; i += step) top = larger(top, static_cast<double>(in[i]));
      return top;
    }
    const R top = static_cast<R>(totals[0]);
    double sum = 0;
    for (Index i = first; i < n; i += step) sum += static_cast<double>(formulas::exp_of(in[i] - top));
    return sum;
  }
  SQUALL_HD double combine(int stage, double a, double b) const { return stage == 0 ? larger(a, b) : a + b; }
  SQUALL_HD void finish(Index row, Index first, Index step, const double* totals) const {
    const R* in = x + row * ld;
    R* to = out + row * out_ld;
    const R top = static_cast<R>(totals[0]);
    const R scale = R(1) / static_cast<R>(totals[1]);
    const Index target = targets != nullptr ? targets[row] : 0;
    const bool wrong = target < 0 || target >= n;
    if (wrong && first == 0) report(fault, row, targets[row]);
    // Who has the target's element reads it before it is overwritten: x may be out.
    for (Index i = first; i < n; i += step) {
      const R v = in[i];
      if (loss != nullptr && i == target) {
        const R one = top + log_of(static_cast<R>(totals[1])) - v;
        loss[row] = one > static_cast<R>(limit) ? static_cast<R>(limit) : one;
      }
      to[i] = formulas::exp_of(v - top) * scale;
    }
  }
};

// dx = y (dy - sum(y dy))
template <class R>
struct RowSoftmaxBack {
  static constexpr int kStages = 1;
  const R *y, *dy;
  R* dx;
  Index n, y_ld, dy_ld, dx_ld;
  bool add;
  SQUALL_HD double partial(int, Index row, Index first, Index step, const double*) const {
    double dot = 0;
    for (Index i = first; i < n; i += step)
      dot += static_cast<double>(y[row * y_ld + i]) * static_cast<double>(dy[row * dy_ld + i]);
    return dot;
  }
  SQUALL_HD double combine(int, double a, double b) const { return a + b; }
  SQUALL_HD void finish(Index row, Index first, Index step, const double* totals) const {
    const R dot = static_cast<R>(totals[0]);
    for (Index i = first; i < n; i += step)
      put(dx + row * dx_ld + i, y[row * y_ld + i] * (dy[row * dy_ld + i] - dot), add);
  }
};

// Rows longer than `limit` are made that long.
template <class R>
struct RowConstraint {
  static constexpr int kStages = 1;
  R* w;
  Index n, ld;
  double limit;
  SQUALL_HD double partial(int, Index row, Index first, Index step, const double*) const {
    double sum = 0;
    for (Index i = first; i < n; i += step) {
      const double v = static_cast<double>(w[row * ld + i]);
      sum += v * v;
    }
    return sum;
  }
  SQUALL_HD double combine(int, double a, double b) const { return a + b; }
  SQUALL_HD void finish(Index row, Index first, Index step, const double* totals) const {
    const double norm = ::sqrt(totals[0]);
    if (!(norm > limit)) return;
    const R scale = static_cast<R>(limit / norm);
    for (Index i = first; i < n; i += step) w[row * ld + i] *= scale;
  }
};

}  // namespace squall::cuda::SQUALL_GRID
