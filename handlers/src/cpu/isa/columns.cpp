// Kernels over blocks of rows with one statistic per column: sums in double precision, batch normalisation.
#include "cpu/isa/fill.hpp"

namespace squall::cpu::SQUALL_ISA {

namespace {

template <class R>
void column_sums(Count rows, Count n, const R* x, Count ld, double* sums) {
  for (Count r = 0; r < rows; ++r) {
    const R* row = x + r * ld;
#pragma omp simd
    for (Count j = 0; j < n; ++j) sums[j] += static_cast<double>(row[j]);
  }
}
template <class R>
void column_squares(Count rows, Count n, const R* x, const R* mean, double* sums) {
  for (Count r = 0; r < rows; ++r) {
    const R* row = x + r * n;
#pragma omp simd
    for (Count j = 0; j < n; ++j) {
      const double d = static_cast<double>(row[j] - mean[j]);
      sums[j] += d * d;
    }
  }
}
template <class R>
void column_products(Count rows, Count n, const R* x, const R* mean, const R* inverse, const R* dy, double* dy_sums,
                     double* product_sums) {
  for (Count r = 0; r < rows; ++r) {
    const R* row = x + r * n;
    const R* delta = dy + r * n;
#pragma omp simd
    for (Count j = 0; j < n; ++j) {
      dy_sums[j] += static_cast<double>(delta[j]);
      product_sums[j] += static_cast<double>(delta[j] * ((row[j] - mean[j]) * inverse[j]));
    }
  }
}
template <class R>
void normalise(Count rows, Count n, const R* x, const R* mean, const R* inverse, const R* gamma, const R* beta, R* y) {
  for (Count r = 0; r < rows; ++r) {
    const R* row = x + r * n;
    R* out = y + r * n;
#pragma omp simd
    for (Count j = 0; j < n; ++j) out[j] = (row[j] - mean[j]) * inverse[j] * gamma[j] + beta[j];
  }
}
template <bool kAdd, class R>
void normalise_back(Count rows, Count n, const R* x, const R* mean, const R* inverse, const R* scale, const R* a,
                    const R* b, const R* dy, R* dx) {
  for (Count r = 0; r < rows; ++r) {
    const R* row = x + r * n;
    const R* delta = dy + r * n;
    R* out = dx + r * n;
#pragma omp simd
    for (Count j = 0; j < n; ++j) {
      const R d = scale[j] * (delta[j] - a[j] - (row[j] - mean[j]) * inverse[j] * b[j]);
      out[j] = kAdd ? out[j] + d : d;
    }
  }
}

template <class R>
void fill(Kernels<R>& k) {
  k.column_sums = column_sums<R>;
  k.column_squares = column_squares<R>;
  k.column_products = column_products<R>;
  k.normalise = normalise<R>;
  k.normalise_back[0] = normalise_back<false, R>;
  k.normalise_back[1] = normalise_back<true, R>;
}

}  // namespace

void fill_columns(Kernels<float>& k) { fill(k); }
void fill_columns(Kernels<double>& k) { fill(k); }

}  // namespace squall::cpu::SQUALL_ISA
