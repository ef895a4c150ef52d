// What follows the matrix product of a layer: bias and activation, and their way back.
#pragma once

#include "cpu/aligned.hpp"
#include "cpu/reduce.hpp"

namespace squall::cpu {

// y = f(y + bias) on a block; for Softmax only the bias, since it needs whole rows.
template <class R>
void bias_activate(const Kernels<R>& k, Activation f, Span rows, Span columns, const R* bias, R* y, Index ld) {
  const Activation here = f == Activation::Softmax ? Activation::Linear : f;
  if (here == Activation::Linear && bias == nullptr) return;
  k.bias_activate[at(here)](rows.count, columns.count, bias != nullptr ? bias + columns.first : nullptr,
                            y + rows.first * ld + columns.first, ld);
}

template <class R>
void softmax_rows(const Context<R>& ctx, Index rows, Index n, R* y) {
  constexpr Index kCost = 8;
  const Index tile_rows = std::clamp<Index>(2048 / std::max<Index>(n, 1), 1, 1024);
  ctx.parallel().run(ceil_div(rows, tile_rows), rows * n * kCost >= kWorthElements, [&](Index tile, int) {
    const Index end = std::min(rows, (tile + 1) * tile_rows);
    for (Index r = tile * tile_rows; r < end; ++r) ctx.kernels().softmax(n, y + r * n, y + r * n);
  });
}

// Partial sums that activate_back needs in its workspace.
inline std::size_t activate_back_bytes(Index rows, Index n) {
  return whole_lines(static_cast<std::size_t>(row_chunks(rows) * n) * sizeof(double));
}

// dy = f'(y) dy in place, and db = the sum of its rows, while they are in the cache.
template <class R>
void activate_back(const Context<R>& ctx, Activation f, Index rows, Index n, const R* y, R* dy, const Sink& db,
                   double* partial) {
  if (f == Activation::Linear && !db) return;
  const Kernels<R>& k = ctx.kernels();
  const Index chunks = row_chunks(rows);
  ctx.parallel().run(chunks, rows * n >= kWorthElements, [&](Index chunk, int) {
    const Span part = part_of(rows, chunks, chunk);
    double* sums = partial + chunk * n;
    if (db) std::fill_n(sums, n, 0.0);
    constexpr Index kElements = 8192;
    const Index step = std::max<Index>(kElements / std::max<Index>(n, 1), 1);
    for (Index r = part.first; r < part.first + part.count; r += step) {
      const Index count = std::min(step, part.first + part.count - r);
      R* delta = dy + r * n;
      const R* out = y + r * n;
      if (f == Activation::Softmax) {
        for (Index i = 0; i < count; ++i) k.softmax_back[0](n, out + i * n, delta + i * n, delta + i * n);
      } else if (f != Activation::Linear) {
        k.activate_back[at(f)][0](count * n, out, delta, delta);
      }
      if (db) k.column_sums(count, n, delta, n, sums);
    }
  });
  if (db) combine(partial, chunks, n, db.to.as<R>(), db.mode == Write::Add);
}

}  // namespace squall::cpu
