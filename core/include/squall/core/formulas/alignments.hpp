// Sums over all alignments of labels with time steps (connectionist temporal classification), forwards and backwards,
// in logarithms and double precision, for one example.
#pragma once

#include <cmath>
#include <cstdint>

#include "squall/core/formulas/portable.hpp"

namespace squall::formulas {

// ln(e^a + e^b)
SQUALL_HD inline double log_sum(double a, double b) {
  const double larger = a > b ? a : b, smaller = a > b ? b : a;
  return larger == -HUGE_VAL ? -HUGE_VAL : larger + ::log1p(::exp(smaller - larger));
}

// The logarithms of the softmax of n numbers.
template <class R>
SQUALL_HD inline void log_softmax(const R* x, std::int64_t n, double* out) {
  double largest = static_cast<double>(x[0]), sum = 0;
  for (std::int64_t c = 1; c < n; ++c)
    largest = static_cast<double>(x[c]) > largest ? static_cast<double>(x[c]) : largest;
  for (std::int64_t c = 0; c < n; ++c) sum += ::exp(static_cast<double>(x[c]) - largest);
  const double shift = largest + ::log(sum);
  for (std::int64_t c = 0; c < n; ++c) out[c] = static_cast<double>(x[c]) - shift;
}

// Labels with blanks around them are the places 0 .. 2 count.
struct Alignments {
  std::int64_t steps, classes, count;
  const std::int32_t* labels;
  std::int32_t blank;
  const double* log_p;         // (steps, classes)
  double *forward, *backward;  // (steps, places), (2, places)

  SQUALL_HD std::int64_t places() const { return 2 * count + 1; }
  SQUALL_HD std::int32_t symbol(std::int64_t place) const { return place % 2 == 0 ? blank : labels[place / 2]; }
  SQUALL_HD double log_of(std::int64_t t, std::int64_t place) const { return log_p[t * classes + symbol(place)]; }
  // Whether the blank before this place may be left out.
  SQUALL_HD bool jumps(std::int64_t place) const {
    return place % 2 == 1 && place > 1 && symbol(place) != symbol(place - 2);
  }

  // ln of the probability of all alignments.
  SQUALL_HD double sum_forward() const {
    const std::int64_t n = places();
    if (steps == 0) return count == 0 ? 0 : -HUGE_VAL;
    for (std::int64_t s = 0; s < n; ++s) forward[s] = s < 2 ? log_of(0, s) : -HUGE_VAL;
    for (std::int64_t t = 1; t < steps; ++t) {
      const double* before = forward + (t - 1) * n;
      for (std::int64_t s = 0; s < n; ++s) {
        double sum = before[s];
        if (s > 0) sum = log_sum(sum, before[s - 1]);
        if (jumps(s)) sum = log_sum(sum, before[s - 2]);
        forward[t * n + s] = sum + log_of(t, s);
      }
    }
    const double* last = forward + (steps - 1) * n;
    return n > 1 ? log_sum(last[n - 1], last[n - 2]) : last[0];
  }

  // What flows through place s of step t from the steps behind it, without what t itself says.
  SQUALL_HD double sum_behind(std::int64_t t, std::int64_t s) const {
    const std::int64_t n = places();
    if (t + 1 == steps) return s >= n - 2 ? 0 : -HUGE_VAL;
    const double* after = backward + (t + 1) % 2 * n;
    double sum = after[s];
    if (s + 1 < n) sum = log_sum(sum, after[s + 1]);
    if (s + 2 < n && jumps(s + 2)) sum = log_sum(sum, after[s + 2]);
    return sum;
  }

  // log_p (which deltas are) becomes rate (p - share of the class) after sum_forward gave `total`. passed: (classes).
  // Steps go from last to first, and a step is not needed after it.
  SQUALL_HD void send(double total, double rate, double* deltas, double* passed) const {
    const std::int64_t n = places();
    for (std::int64_t c = 0; c < classes; ++c) passed[c] = 0;
    for (std::int64_t t = steps; t-- > 0;) {
      double* now = backward + t % 2 * n;
      for (std::int64_t s = n; s-- > 0;) {
        const double sum = sum_behind(t, s);
        now[s] = sum + log_of(t, s);
        passed[symbol(s)] += ::exp(forward[t * n + s] + sum - total);
      }
      for (std::int64_t c = 0; c < classes; ++c) {
        double& at = deltas[t * classes + c];
        at = rate * (::exp(at) - passed[c]);
        passed[c] = 0;
      }
    }
  }
};

}  // namespace squall::formulas
