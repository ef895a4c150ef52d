// Sums over many numbers in two steps: parts whose size depends on the problem alone, then the parts in order. All sums
// are in double precision.
#pragma once

#include "cuda/grid.hpp"

namespace squall::cuda::SQUALL_GRID {

// Sum over rows first, first + 1, ... of one column; thread i: chunk i / columns, column i % columns.
template <class R>
struct ColumnPartKernel {
  const R* x;
  double* parts;
  Index rows, columns, ld, chunk;
  SQUALL_HD void operator()(Index i) const {
    const Index part = i / columns, column = i % columns;
    const Index end = (part + 1) * chunk < rows ? (part + 1) * chunk : rows;
    double sum = 0;
    for (Index r = part * chunk; r < end; ++r) sum += static_cast<double>(x[r * ld + column]);
    parts[i] = sum;
  }
};
template <class R>
struct ColumnTotalKernel {
  const double* parts;
  R* out;
  Index chunks, columns;
  bool add;
  SQUALL_HD void operator()(Index column) const {
    double sum = 0;
    for (Index c = 0; c < chunks; ++c) sum += parts[c * columns + column];
    put(out + column, static_cast<R>(sum), add);
  }
};
// Columns that are summed up whole by a thread each.
template <class R>
struct ColumnSumKernel {
  const R* x;
  R* out;
  Index rows, ld;
  bool add;
  SQUALL_HD void operator()(Index column) const {
    double sum = 0;
    for (Index r = 0; r < rows; ++r) sum += static_cast<double>(x[r * ld + column]);
    put(out + column, static_cast<R>(sum), add);
  }
};

template <class R>
void column_sums(Context& ctx, const R* x, Index count, Index columns, Index ld, R* out, bool add) {
  constexpr Index kChunk = 32, kMostChunks = 256;
  const Index most = std::min(kMostChunks, Context::kSums / std::max<Index>(columns, 1));
  const Index wanted = std::min(most, (count + kChunk - 1) / kChunk);
  if (wanted < 2) return each(ctx, columns, ColumnSumKernel<R>{x, out, count, ld, add});
  const Index chunk = (count + wanted - 1) / wanted;
  const Index chunks = (count + chunk - 1) / chunk;
  each(ctx, chunks * columns, ColumnPartKernel<R>{x, ctx.sums(), count, columns, ld, chunk});
  each(ctx, columns, ColumnTotalKernel<R>{ctx.sums(), out, chunks, columns, add});
}

// Two sums over the rows of each column at once: f(row, column, a, b) adds to them, then done(column, a, b) takes them.
template <class F>
struct ColumnPairKernel {
  F f;
  double* parts;
  Index rows, columns, chunk;
  SQUALL_HD void operator()(Index i) const {
    const Index part = i / columns, column = i % columns;
    const Index end = (part + 1) * chunk < rows ? (part + 1) * chunk : rows;
    double a = 0, b = 0;
    for (Index r = part * chunk; r < end; ++r) f(r, column, a, b);
    parts[2 * i] = a;
    parts[2 * i + 1] = b;
  }
};
template <class D>
struct ColumnPairTotalKernel {
  D done;
  const double* parts;
  Index chunks, columns;
  SQUALL_HD void operator()(Index column) const {
    double a = 0, b = 0;
    for (Index c = 0; c < chunks; ++c) {
      a += parts[2 * (c * columns + column)];
      b += parts[2 * (c * columns + column) + 1];
    }
    done(column, a, b);
  }
};

template <class F, class D>
void column_pairs(Context& ctx, Index count, Index columns, const F& f, const D& done) {
  constexpr Index kChunk = 32, kMostChunks = 256;
  const Index most = std::max<Index>(1, std::min(kMostChunks, Context::kSums / 2 / columns));
  const Index wanted = std::clamp<Index>((count + kChunk - 1) / kChunk, 1, most);
  const Index chunk = std::max<Index>(1, (count + wanted - 1) / wanted);
  const Index chunks = std::max<Index>(1, (count + chunk - 1) / chunk);
  double* parts = ctx.sums();
  if (2 * columns > Context::kSums)
    parts = reinterpret_cast<double*>(ctx.scratch(sizeof(double) * 2 * static_cast<std::size_t>(columns)));
  each(ctx, chunks * columns, ColumnPairKernel<F>{f, parts, count, columns, chunk});
  each(ctx, columns, ColumnPairTotalKernel<D>{done, parts, chunks, columns});
}

// The total over all elements of what F makes of each: F(i) in double; F::combine(a, b).
template <class F>
struct PartKernel {
  static constexpr int kSteps = 7;  // 128 threads
  static constexpr int kPhases = kSteps + 1;
  static_assert((1 << kSteps) == kBlockThreads);
  struct Shared {
    double part[kBlockThreads];
  };
  F f;
  Index n, chunk;
  double* parts;
  SQUALL_HD void operator()(int phase, Index block, int thread, Shared& s) const {
    if (phase == 0) {
      const Index end = (block + 1) * chunk < n ? (block + 1) * chunk : n;
      double total = 0;
      for (Index i = block * chunk + thread; i < end; i += kBlockThreads) total = f.combine(total, f(i));
      s.part[thread] = total;
      return;
    }
    const int half = kBlockThreads >> phase;
    if (thread < half) s.part[thread] = f.combine(s.part[thread], s.part[thread + half]);
    if (phase == kPhases - 1 && thread == 0) parts[block] = s.part[0];
  }
};
struct PartsOf {  // parts that are put together once more
  const double* parts;
  bool largest;
  SQUALL_HD double operator()(Index i) const { return parts[i]; }
  SQUALL_HD double combine(double a, double b) const {
    if (!largest) return a + b;
    return b > a || b != b ? b : a;  // NaN stays
  }
};

// Leaves the total in ctx.sums()[0].
template <class F>
void total(Context& ctx, Index n, const F& f, bool largest) {
  constexpr Index kChunk = 4096;
  const Index chunk = std::max(kChunk, (n + Context::kSums / 2 - 1) / (Context::kSums / 2));
  const Index chunks = std::max<Index>(1, (n + chunk - 1) / chunk);
  double* parts = ctx.sums() + (chunks > 1 ? 1 : 0);
  blocks(ctx, chunks, PartKernel<F>{f, n, chunk, parts});
  if (chunks > 1) blocks(ctx, 1, PartKernel<PartsOf>{{parts, largest}, chunks, chunks, ctx.sums()});
}

}  // namespace squall::cuda::SQUALL_GRID
