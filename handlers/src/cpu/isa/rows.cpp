// Kernels over one row: softmax with its gradient and loss, sums.
#include "cpu/isa/fill.hpp"
#include "cpu/isa/math.hpp"

namespace squall::cpu::SQUALL_ISA {

namespace {

template <class R>
R largest(Count n, const R* x) {
  R top = x[0];
#pragma omp simd reduction(max : top)
  for (Count i = 0; i < n; ++i) top = x[i] > top ? x[i] : top;
  return top;
}

// p = exp(x - max), returns the sum; `top` gets the maximum.
template <class R>
R long_exp(Count n, const R* x, R* p, R& top) {
  top = largest(n, x);
  const R shift = top;
  R sum = 0;
#pragma omp simd reduction(+ : sum)
  for (Count i = 0; i < n; ++i) {
    const R e = exp_of(x[i] - shift);
    p[i] = e;
    sum += e;
  }
  return sum;
}
// A short row is padded to whole groups, so that none of it is computed element by element. Sums are those of the lanes
// of a group, added up in order.
constexpr Count kShort = 128, kGroup = 16;
template <Count kGroups>
float padded_exp(Count n, const float* x, float* p, float& top) {
  float row[kGroups * kGroup];
  row[0] = x[0];
  const Count groups = kGroups == 1 ? 1 : (n + kGroup - 1) / kGroup;
  for (Count g = 0; g < groups; ++g) {
#pragma omp simd
    for (Count i = 0; i < kGroup; ++i) row[g * kGroup + i] = g * kGroup + i < n ? x[g * kGroup + i] : -__builtin_inff();
  }
  top = largest(groups * kGroup, row);
  const float shift = top;
  float sums[kGroup] = {};
  for (Count g = 0; g < groups; ++g) {
#pragma omp simd
    for (Count i = 0; i < kGroup; ++i) {
      const float e = exp_of(row[g * kGroup + i] - shift);
      row[g * kGroup + i] = e;
      sums[i] += e;
    }
  }
  for (Count i = 0; i < n; ++i) p[i] = row[i];
  float sum = 0;
  for (Count i = 0; i < (kGroups == 1 ? n : kGroup); ++i) sum += sums[i];
  return sum;
}
float short_exp(Count n, const float* x, float* p, float& top) {
  return n <= kGroup ? padded_exp<1>(n, x, p, top) : padded_exp<kShort / kGroup>(n, x, p, top);
}
double shifted_exp(Count n, const double* x, double* p, double& top) { return long_exp(n, x, p, top); }
float shifted_exp(Count n, const float* x, float* p, float& top) {
  return n <= kShort ? short_exp(n, x, p, top) : long_exp(n, x, p, top);
}
template <class R>
void scale(Count n, R factor, R* p) {
#pragma omp simd
  for (Count i = 0; i < n; ++i) p[i] *= factor;
}

template <class R>
void softmax(Count n, const R* x, R* out) {
  if (n == 0) return;
  R top = 0;
  const R sum = shifted_exp(n, x, out, top);
  scale(n, R(1) / sum, out);
}
template <class R>
R softmax_ce(Count n, const R* x, R* p) {
  if (n == 0) return R(0);
  R top = 0;
  const R sum = shifted_exp(n, x, p, top);
  scale(n, R(1) / sum, p);
  return top + log_of(sum);
}
template <bool kAdd, class R>
void softmax_back(Count n, const R* y, const R* dy, R* dx) {
  R dot = 0;
#pragma omp simd reduction(+ : dot)
  for (Count i = 0; i < n; ++i) dot += y[i] * dy[i];
#pragma omp simd
  for (Count i = 0; i < n; ++i) {
    const R d = y[i] * (dy[i] - dot);
    dx[i] = kAdd ? dx[i] + d : d;
  }
}

// loss = t min(ln(1 + e^-x), limit) + (1 - t) min(ln(1 + e^x), limit); t and loss may be null together.
template <class R>
void sigmoid_ce(Count n, const R* x, const R* t, R* y, R* loss, R limit) {
  if (loss != nullptr) {
    for (Count i = 0; i < n; ++i) {
      const R magnitude = x[i] < R(0) ? -x[i] : x[i];
      const R tail = log1p_of(exp_of(-magnitude));
      const R one = tail + (x[i] < R(0) ? magnitude : R(0));   // -ln y
      const R zero = tail + (x[i] > R(0) ? magnitude : R(0));  // -ln(1 - y)
      loss[i] = t[i] * (one > limit ? limit : one) + (R(1) - t[i]) * (zero > limit ? limit : zero);
    }
  }
#pragma omp simd
  for (Count i = 0; i < n; ++i) y[i] = sigmoid_of(x[i]);
}

template <class R>
double sum(Count n, const R* x) {
  double s = 0;
#pragma omp simd reduction(+ : s)
  for (Count i = 0; i < n; ++i) s += static_cast<double>(x[i]);
  return s;
}
template <class R>
double sum_squares(Count n, const R* x) {
  double s = 0;
#pragma omp simd reduction(+ : s)
  for (Count i = 0; i < n; ++i) s += static_cast<double>(x[i]) * static_cast<double>(x[i]);
  return s;
}

template <class R>
void fill(Kernels<R>& k) {
  k.softmax = softmax<R>;
  k.softmax_ce = softmax_ce<R>;
  k.softmax_back[0] = softmax_back<false, R>;
  k.softmax_back[1] = softmax_back<true, R>;
  k.sigmoid_ce = sigmoid_ce<R>;
  k.sum = sum<R>;
  k.sum_squares = sum_squares<R>;
}

}  // namespace

void fill_rows(Kernels<float>& k) { fill(k); }
void fill_rows(Kernels<double>& k) { fill(k); }

}  // namespace squall::cpu::SQUALL_ISA
