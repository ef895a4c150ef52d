// Kernels of rows that are normalised alone and of attention. Read by files compiled for wide vectors: free of code.
#pragma once

#include <cstdint>

namespace squall::cpu {

// One row of n numbers with one mean and one inverse spread.
template <class R>
struct RowNormKernels {
  double (*squares_about)(std::int64_t n, const R* x, R mean);  // sum of (x - mean)^2
  void (*normalise)(std::int64_t n, const R* x, R mean, R inverse, const R* weight, const R* bias, R* y);
  // sums[0] = sum of weight dy, sums[1] = sum of weight dy xhat
  void (*products)(std::int64_t n, const R* x, R mean, R inverse, const R* weight, const R* dy, double* sums);
  // dy_sums += dy, product_sums += dy xhat
  void (*columns)(std::int64_t n, const R* x, R mean, R inverse, const R* dy, double* dy_sums, double* product_sums);
  // dx (=, +=) inverse (weight dy - a - (x - mean) b)
  void (*back[2])(std::int64_t n, const R* x, R mean, R inverse, const R* weight, R a, R b, const R* dy, R* dx);
  // The same for rows with numbers of their own for each column.
  void (*back_columns[2])(std::int64_t rows, std::int64_t n, const R* x, const R* mean, const R* inverse,
                          const R* weight, const R* a, const R* b, const R* dy, R* dx);
};

// One row of scores. A row that is forbidden entirely keeps top at -infinity and gives zeros.
template <class R>
struct AttentionKernels {
  // s = exp(scale s - top) with the largest score so far; sum and top go on; returns by what earlier sums shrink.
  R (*attend)(std::int64_t n, R* s, R scale, R* top, R* sum);
  void (*probabilities)(std::int64_t n, R* s, R scale, R log_sum);    // s = exp(scale s - log_sum)
  void (*back)(std::int64_t n, const R* p, R along, R scale, R* dp);  // dp = scale p (dp - along)
  R (*dot)(std::int64_t n, const R* a, const R* b);
};

}  // namespace squall::cpu
