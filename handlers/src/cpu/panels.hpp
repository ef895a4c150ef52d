// A matrix in the panels that the kernels of products read: packed once, multiplied many times.
#pragma once

#include "cpu/aligned.hpp"
#include "cpu/products.hpp"

namespace squall::cpu {

// Elements that the panels of a (k, n) matrix take.
template <class R>
Index panel_elements(const Context<R>& ctx, Index k, Index n) {
  return k * round_up(n, ctx.kernels().sequence.pack_columns);
}

// A second factor in panels; see PackedCall.
template <class R>
struct Panels {
  const R* packed = nullptr;
  Index k = 0, n = 0;
};

template <class R>
Panels<R> pack_panels(const Context<R>& ctx, const ConstMatrix& b, R* to) {
  const auto call = call_of<R>(ConstMatrix(b.data, b.dtype, 0, b.nrows, b.nrows), b, nullptr, 0, false);
  const auto& sequence = ctx.kernels().sequence;
  const Index whole = round_up(b.ncols, sequence.pack_columns);
  // Panels of one piece of the depth lie side by side, so threads share pieces, not panels.
  const Index depth = sequence.pack_depth;
  ctx.parallel().run(ceil_div(b.nrows, depth), b.nrows * b.ncols >= kWorthElements, [&](Index piece, int) {
    const Index first = piece * depth;
    sequence.pack(std::min(depth, b.nrows - first), b.ncols, call.b + first * call.b_row, call.b_row, call.b_col,
                  to + first * whole);
  });
  return {to, b.nrows, b.ncols};
}

// c (=, +=) a b for a tile, by one thread. `a` and `c` as in GemmCall, whose b is not looked at.
template <class R>
void multiply_panels(const Context<R>& ctx, const GemmCall<R>& call, const Panels<R>& b, Span rows, Span columns,
                     int worker) {
  PackedCall<R> p;
  p.m = rows.count;
  p.n = columns.count;
  p.k = b.k;
  p.a = call.a + rows.first * call.a_row;
  p.a_row = call.a_row;
  p.a_col = call.a_col;
  p.scratch = ctx.scratch(worker);
  p.packed = b.packed;
  p.columns = b.n;
  p.first = columns.first;
  p.c = call.c;
  p.ldc = call.ldc;
  p.add = call.add;
  ctx.kernels().sequence.multiply(p);
}

// As product() of products.hpp, with the second factor in panels.
template <class R, class F>
void product(const Context<R>& ctx, const GemmCall<R>& call, const Panels<R>& b, const F& finish) {
  const TileGrid grid = TileGrid::of(call.m, call.n, call.k);
  ctx.parallel().run(grid.count(), 2 * call.m * call.n * call.k >= kWorthFlops, [&](Index tile, int worker) {
    const Span rows = grid.rows(tile);
    const Span columns = grid.columns(tile);
    GemmCall<R> part = call;
    part.c += rows.first * call.ldc + columns.first;
    multiply_panels(ctx, part, b, rows, columns, worker);
    finish(rows, columns);
  });
}

}  // namespace squall::cpu
