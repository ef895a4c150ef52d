// Matrix products cut into tiles that depend on the shape alone, one thread each.
#pragma once

#include "cpu/context.hpp"

namespace squall::cpu {

struct TileGrid {
  Index m = 0, n = 0, row_parts = 1, column_parts = 1;
  static constexpr Index kRowGrain = 8, kColumnGrain = 48;

  // Tiles of at least about two million operations, and enough of them for many threads. Columns are cut first: a
  // tile packs its columns of the second matrix, so each of them is packed once.
  static TileGrid of(Index m, Index n, Index k) {
    constexpr Index kTileFlops = Index{1} << 21, kMostTiles = 32, kColumns = 96, kRows = 512, kFewRows = 32;
    const Index wanted = std::clamp<Index>(2 * m * n * k / kTileFlops, 1, kMostTiles);
    TileGrid g{m, n, ceil_div(std::max<Index>(m, 1), kRows), 1};
    g.column_parts = std::clamp<Index>(n / kColumns, 1, wanted);
    if (g.row_parts * g.column_parts < wanted)
      g.row_parts = std::max(g.row_parts, std::min(ceil_div(wanted, g.column_parts), std::max<Index>(m / kFewRows, 1)));
    return g;
  }
  Index count() const { return row_parts * column_parts; }
  Span rows(Index tile) const { return part_of(m, row_parts, tile / column_parts, kRowGrain); }
  Span columns(Index tile) const { return part_of(n, column_parts, tile % column_parts, kColumnGrain); }
};

template <class R>
GemmCall<R> call_of(const ConstMatrix& a, const ConstMatrix& b, R* c, Index ldc, bool add) {
  GemmCall<R> g;
  g.m = a.nrows;
  g.n = b.ncols;
  g.k = a.ncols;
  g.a = a.as<R>();
  g.a_row = a.transposed ? 1 : a.ld;
  g.a_col = a.transposed ? a.ld : 1;
  g.b = b.as<R>();
  g.b_row = b.transposed ? 1 : b.ld;
  g.b_col = b.transposed ? b.ld : 1;
  g.c = c;
  g.ldc = ldc;
  g.add = add;
  return g;
}

template <class R>
GemmCall<R> part_of_call(const GemmCall<R>& whole, Span rows, Span columns) {
  GemmCall<R> g = whole;
  g.m = rows.count;
  g.n = columns.count;
  g.a += rows.first * whole.a_row;
  g.b += columns.first * whole.b_col;
  g.c += rows.first * whole.ldc + columns.first;
  return g;
}

// Many tiles of rows: the second matrix is packed piece by piece for all of them, where each would pack it again.
template <class R, class F>
void shared_product(const Context<R>& ctx, const GemmCall<R>& call, const F& finish) {
  constexpr Index kTileRows = 32, kMostTiles = 32, kPackColumns = 192;
  const auto& sequence = ctx.kernels().sequence;
  const Index parts = std::clamp<Index>(call.m / kTileRows, 1, kMostTiles);
  for (Index j0 = 0; j0 < call.n; j0 += Context<R>::kSharedColumns) {
    const Index columns = std::min(Context<R>::kSharedColumns, call.n - j0);
    for (Index p0 = 0; p0 < call.k; p0 += sequence.pack_depth) {
      const Index depth = std::min<Index>(sequence.pack_depth, call.k - p0);
      const R* b = call.b + p0 * call.b_row + j0 * call.b_col;
      // The last part is never a narrow one: how the last panels are cut depends on more than them.
      const Index packers = std::max<Index>(columns / kPackColumns, 1);
      ctx.parallel().run(packers, true, [&](Index part, int) {
        const Index first = part * kPackColumns;
        const Index count = part + 1 < packers ? kPackColumns : columns - first;
        sequence.pack(depth, count, b + first * call.b_col, call.b_row, call.b_col,
                      ctx.shared_panels() + first * depth);
      });
      ctx.parallel().run(parts, true, [&](Index part, int worker) {
        const Span rows = part_of(call.m, parts, part, TileGrid::kRowGrain);
        PackedCall<R> p{rows.count, columns, depth, call.a + rows.first * call.a_row + p0 * call.a_col, call.a_row};
        p.a_col = call.a_col;
        p.scratch = ctx.scratch(worker);
        p.packed = ctx.shared_panels();
        p.columns = columns;
        p.c = call.c + rows.first * call.ldc + j0;
        p.ldc = call.ldc;
        p.add = call.add || p0 > 0;
        sequence.multiply(p);
        if (p0 + depth == call.k) finish(rows, Span{j0, columns});
      });
    }
  }
}
// By shape alone: enough rows for several tiles, each with enough to do.
template <class R>
bool shares_panels(const Context<R>& ctx, const GemmCall<R>& call) {
  constexpr Index kLeastRows = 64, kLeastColumns = 48, kLeastDepth = 64;
  return call.m >= kLeastRows && call.n >= kLeastColumns && call.k >= kLeastDepth &&
         2 * call.m * call.n * call.k >= Index{1} << 22 && !ctx.by_library(call.m, call.n, call.k) &&
         TileGrid::of(call.m, call.n, call.k).row_parts > 1;
}

// finish(rows, columns) is called for each tile when it is complete, by the thread that made it.
template <class R, class F>
void product(const Context<R>& ctx, const GemmCall<R>& call, const F& finish) {
  if (shares_panels(ctx, call)) return shared_product(ctx, call, finish);
  const TileGrid grid = TileGrid::of(call.m, call.n, call.k);
  ctx.parallel().run(grid.count(), 2 * call.m * call.n * call.k >= kWorthFlops, [&](Index tile, int worker) {
    const Span rows = grid.rows(tile);
    const Span columns = grid.columns(tile);
    ctx.multiply(part_of_call(call, rows, columns), worker);
    finish(rows, columns);
  });
}
template <class R>
void product(const Context<R>& ctx, const GemmCall<R>& call) {
  product(ctx, call, [](Span, Span) {});
}

}  // namespace squall::cpu
