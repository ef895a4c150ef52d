// Sums over rows in an order that depends on the shape alone: partial sums of fixed chunks of rows in double
// precision, added in the order of the chunks.
#pragma once

#include "cpu/context.hpp"

namespace squall::cpu {

inline constexpr Index kMostChunks = 16;

// How many chunks of rows a reduction is cut into.
constexpr Index row_chunks(Index rows) { return std::clamp<Index>(rows / 64, 1, kMostChunks); }

// out[j] (=, +=) the sum over chunks of partial[chunk][j].
template <class R>
void combine(const double* partial, Index chunks, Index n, R* out, bool add) {
  for (Index j = 0; j < n; ++j) {
    double total = 0;
    for (Index c = 0; c < chunks; ++c) total += partial[c * n + j];
    out[j] = add ? out[j] + static_cast<R>(total) : static_cast<R>(total);
  }
}

template <class R>
void column_sums(const Context<R>& ctx, Index rows, Index n, const R* x, Index ld, R* out, bool add) {
  const bool worth = rows * n >= kWorthElements;
  constexpr Index kNarrow = Context<R>::kSums / kMostChunks;
  if (n <= kNarrow) {
    const Index chunks = row_chunks(rows);
    ctx.parallel().run(chunks, worth, [&](Index chunk, int) {
      const Span part = part_of(rows, chunks, chunk);
      double* sums = ctx.sums() + chunk * n;
      std::fill_n(sums, n, 0.0);
      ctx.kernels().column_sums(part.count, n, x + part.first * ld, ld, sums);
    });
    combine(ctx.sums(), chunks, n, out, add);
    return;
  }
  constexpr Index kColumns = 256;
  ctx.parallel().run(ceil_div(n, kColumns), worth, [&](Index tile, int) {
    double sums[kColumns] = {};
    const Index first = tile * kColumns;
    const Index count = std::min(kColumns, n - first);
    ctx.kernels().column_sums(rows, count, x + first, ld, sums);
    combine(sums, 1, count, out + first, add);
  });
}

}  // namespace squall::cpu
