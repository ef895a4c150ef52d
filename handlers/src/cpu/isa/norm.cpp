// Kernels of rows that are normalised alone (sums in double precision) and of attention.
#include "cpu/isa/fill.hpp"
#include "cpu/isa/math.hpp"

namespace squall::cpu::SQUALL_ISA {

namespace {

template <class R>
double squares_about(Count n, const R* x, R mean) {
  double sum = 0;
#pragma omp simd reduction(+ : sum)
  for (Count i = 0; i < n; ++i) {
    const double d = static_cast<double>(x[i] - mean);
    sum += d * d;
  }
  return sum;
}
template <class R>
void normalise(Count n, const R* x, R mean, R inverse, const R* weight, const R* bias, R* y) {
#pragma omp simd
  for (Count i = 0; i < n; ++i) y[i] = (x[i] - mean) * inverse * weight[i] + bias[i];
}
template <class R>
void products(Count n, const R* x, R mean, R inverse, const R* weight, const R* dy, double* sums) {
  double a = 0, b = 0;
#pragma omp simd reduction(+ : a, b)
  for (Count i = 0; i < n; ++i) {
    const R delta = weight[i] * dy[i];
    a += static_cast<double>(delta);
    b += static_cast<double>(delta * ((x[i] - mean) * inverse));
  }
  sums[0] = a;
  sums[1] = b;
}
template <class R>
void columns(Count n, const R* x, R mean, R inverse, const R* dy, double* dy_sums, double* product_sums) {
#pragma omp simd
  for (Count i = 0; i < n; ++i) {
    dy_sums[i] += static_cast<double>(dy[i]);
    product_sums[i] += static_cast<double>(dy[i] * ((x[i] - mean) * inverse));
  }
}
template <bool kAdd, class R>
void back(Count n, const R* x, R mean, R inverse, const R* weight, R a, R b, const R* dy, R* dx) {
#pragma omp simd
  for (Count i = 0; i < n; ++i) {
    const R d = inverse * (weight[i] * dy[i] - a - (x[i] - mean) * b);
    dx[i] = kAdd ? dx[i] + d : d;
  }
}
template <bool kAdd, class R>
void back_columns(Count rows, Count n, const R* x, const R* mean, const R* inverse, const R* weight, const R* a,
                  const R* b, const R* dy, R* dx) {
  for (Count r = 0; r < rows; ++r) {
    const R* row = x + r * n;
    const R* delta = dy + r * n;
    R* out = dx + r * n;
#pragma omp simd
    for (Count j = 0; j < n; ++j) {
      const R d = inverse[j] * (weight[j] * delta[j] - a[j] - (row[j] - mean[j]) * b[j]);
      out[j] = kAdd ? out[j] + d : d;
    }
  }
}

template <class R>
R attend(Count n, R* s, R scale, R* top, R* sum) {
  R high = *top;
#pragma omp simd reduction(max : high)
  for (Count i = 0; i < n; ++i) {
    s[i] *= scale;
    high = s[i] > high ? s[i] : high;
  }
  const R factor = high > *top ? exp_of(*top - high) : R(1);
  const R shift = high == -static_cast<R>(__builtin_inf()) ? R(0) : high;  // nothing allowed yet: all are zero
  R total = 0;
#pragma omp simd reduction(+ : total)
  for (Count i = 0; i < n; ++i) {
    s[i] = exp_of(s[i] - shift);
    total += s[i];
  }
  *top = high;
  *sum = *sum * factor + total;
  return factor;
}
template <class R>
void probabilities(Count n, R* s, R scale, R log_sum) {
#pragma omp simd
  for (Count i = 0; i < n; ++i) s[i] = exp_of(scale * s[i] - log_sum);
}
template <class R>
void attention_back(Count n, const R* p, R along, R scale, R* dp) {
#pragma omp simd
  for (Count i = 0; i < n; ++i) dp[i] = scale * p[i] * (dp[i] - along);
}
template <class R>
R dot(Count n, const R* a, const R* b) {
  R sum = 0;
#pragma omp simd reduction(+ : sum)
  for (Count i = 0; i < n; ++i) sum += a[i] * b[i];
  return sum;
}

template <class R>
void fill(Kernels<R>& k) {
  k.row_norm.squares_about = squares_about<R>;
  k.row_norm.normalise = normalise<R>;
  k.row_norm.products = products<R>;
  k.row_norm.columns = columns<R>;
  k.row_norm.back[0] = back<false, R>;
  k.row_norm.back[1] = back<true, R>;
  k.row_norm.back_columns[0] = back_columns<false, R>;
  k.row_norm.back_columns[1] = back_columns<true, R>;
  k.attention.attend = attend<R>;
  k.attention.probabilities = probabilities<R>;
  k.attention.back = attention_back<R>;
  k.attention.dot = dot<R>;
}

}  // namespace

void fill_norm(Kernels<float>& k) { fill(k); }
void fill_norm(Kernels<double>& k) { fill(k); }

}  // namespace squall::cpu::SQUALL_ISA
