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

// finish(rows, columns) is called for each tile when it is complete, by the thread that made it.
template <class R, class F>
void product(const Context<R>& ctx, const GemmCall<R>& call, const F& finish) {
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
