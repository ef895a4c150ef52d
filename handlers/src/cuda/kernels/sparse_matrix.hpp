// Sparse matrices of packed weights on the device, and products with them.
#pragma once

#include <vector>

#include "cuda/kernels/math.hpp"
#include "cuda/kernels/rows.hpp"
#include "squall/core/ops/memory.hpp"
#include "squall/core/packed_weight.hpp"

namespace squall::cuda::SQUALL_GRID {

inline constexpr Index kMany = 16;  // examples from which on a thread takes a result, not part of one

// Device memory with these values.
template <class T>
struct Owned {
  Owned() = default;
  Owned(Handler& h, const std::vector<T>& values, DType dtype)
      : block(h.memory(), std::max<std::size_t>(1, values.size()) * size_of(dtype)),
        tensor(block.data(), dtype, {static_cast<Index>(values.size())}) {
    if (!values.empty()) h.memory().upload(HostArray::of(tensor.shape(), values).view(), tensor);
  }
  DeviceBlock block;
  Tensor tensor;
};

// What becomes of a sum: y (=, +=) f(sum + bias).
template <class R>
struct Finish {
  const R* bias;  // or null
  R* y;
  Index outputs;
  Activation activation;
  bool add;
  SQUALL_HD void operator()(Index row, Index output, R sum) const {
    const R v = bias != nullptr ? sum + bias[output] : sum;
    put(y + row * outputs + output, apply(activation, v), add);
  }
};

// Entries of a sparse matrix by rows.
template <class R>
struct Entries {
  const std::int32_t *begin, *column;
  const R* value;
};

template <class R>
struct TurnKernel {  // (n, columns) to (columns, n)
  const R* x;
  R* to;
  Index n, columns;
  SQUALL_HD void operator()(Index i) const {
    const Divided at = divide(i, n);
    to[i] = x[at.rest * columns + at.quotient];
  }
};
// Threads beside each other have examples beside each other: all read the same entries.
template <class R>
struct SparseManyKernel {
  Entries<R> w;
  const R* turned;  // (columns, n)
  Finish<R> finish;
  Index n;
  SQUALL_HD void operator()(Index i) const {
    const Divided at = divide(i, n);
    R sum = 0;
    for (std::int32_t k = w.begin[at.quotient]; k < w.begin[at.quotient + 1]; ++k)
      sum += w.value[k] * turned[w.column[k] * n + at.rest];
    finish(at.rest, at.quotient, sum);
  }
};
template <class R>
struct SparseFewRows {
  static constexpr int kStages = 1;
  Entries<R> w;
  const R* x;
  Finish<R> last;
  Index columns;
  SQUALL_HD double partial(int, Index row, Index first, Index step, const double*) const {
    const Divided at = divide(row, last.outputs);
    const R* in = x + at.quotient * columns;
    double sum = 0;
    for (Index k = w.begin[at.rest] + first; k < w.begin[at.rest + 1]; k += step)
      sum += static_cast<double>(w.value[k]) * static_cast<double>(in[w.column[k]]);
    return sum;
  }
  SQUALL_HD double combine(int, double a, double b) const { return a + b; }
  SQUALL_HD void finish(Index row, Index first, Index, const double* totals) const {
    const Divided at = divide(row, last.outputs);
    if (first == 0) last(at.quotient, at.rest, static_cast<R>(totals[0]));
  }
};

// A sparse matrix on the device.
template <class R>
class SparseMatrix {
 public:
  SparseMatrix(Handler& h, const SparsePattern& p, const std::vector<float>& value)
      : rows_(p.rows),
        columns_(p.columns),
        mean_(p.rows > 0 ? p.kept() / p.rows : 0),
        begin_(h, std::vector<std::int32_t>(p.row_begin.begin(), p.row_begin.end()), DType::I32),
        column_(h, p.column, DType::I32),
        value_(h, value, h.dtype()) {}
  Index turned_elements(Index n) const { return n >= kMany ? n * columns_ : 0; }
  Entries<R> entries() const {
    return {begin_.tensor.template as<std::int32_t>(), column_.tensor.template as<std::int32_t>(),
            value_.tensor.template as<R>()};
  }
  // (n, columns) times the transpose.
  void multiply(Context& ctx, Index n, const R* x, R* turned, const Finish<R>& finish) const {
    const Entries<R> w = entries();
    if (n < kMany) return cuda::SQUALL_GRID::rows(ctx, n * rows_, mean_, SparseFewRows<R>{w, x, finish, columns_});
    each(ctx, n * columns_, TurnKernel<R>{x, turned, n, columns_});
    each(ctx, n * rows_, SparseManyKernel<R>{w, turned, finish, n});
  }

 private:
  Index rows_, columns_, mean_;
  Owned<std::int32_t> begin_, column_;
  Owned<float> value_;
};

inline std::vector<float> values_at(const std::vector<float>& value, const std::vector<std::int32_t>& from) {
  std::vector<float> out;
  for (const std::int32_t i : from) out.push_back(value[static_cast<std::size_t>(i)]);
  return out;
}

}  // namespace squall::cuda::SQUALL_GRID
