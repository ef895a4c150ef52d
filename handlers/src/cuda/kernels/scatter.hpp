// Rows added to the rows that an index names, in the order of the rows and so always with the same result: lists of
// the rows that go to each place are made first (counts, where each list begins, its rows in any order, then sorted).
#pragma once

#include "cuda/indices.hpp"
#include "cuda/kernels/rows.hpp"

namespace squall::cuda::SQUALL_GRID {

struct CountKernel {
  const std::int32_t* index;
  std::int32_t* counts;
  FaultKey* fault;
  Index limit;
  SQUALL_HD void operator()(Index r) const {
    const std::int32_t to = index[r];
    if (to < 0 || to >= limit) return report(fault, r, to);
    counted(counts + to);
  }
};

// Counts become where lists begin: sums of pieces, sums before pieces, sums before each.
inline constexpr Index kPiece = 512;
struct PieceSumKernel {
  const std::int32_t* counts;
  std::int32_t* sums;
  Index n;
  SQUALL_HD void operator()(Index piece) const {
    const Index end = (piece + 1) * kPiece < n ? (piece + 1) * kPiece : n;
    std::int32_t sum = 0;
    for (Index i = piece * kPiece; i < end; ++i) sum += counts[i];
    sums[piece] = sum;
  }
};
struct PiecesBeforeKernel {
  std::int32_t* sums;
  Index pieces;
  SQUALL_HD void operator()(Index) const {
    std::int32_t before = 0;
    for (Index p = 0; p < pieces; ++p) {
      const std::int32_t own = sums[p];
      sums[p] = before;
      before += own;
    }
  }
};
struct BeginKernel {
  const std::int32_t *counts, *sums;
  std::int32_t *begin, *next;
  Index n;
  SQUALL_HD void operator()(Index piece) const {
    const Index end = (piece + 1) * kPiece < n ? (piece + 1) * kPiece : n;
    std::int32_t before = sums[piece];
    for (Index i = piece * kPiece; i < end; ++i) {
      begin[i] = next[i] = before;
      before += counts[i];
    }
    if (end == n) begin[n] = before;
  }
};
struct ListKernel {
  const std::int32_t* index;
  std::int32_t *next, *list;
  Index limit;
  SQUALL_HD void operator()(Index r) const {
    const std::int32_t to = index[r];
    if (to >= 0 && to < limit) list[counted(next + to)] = static_cast<std::int32_t>(r);
  }
};
// Heap sort: in place, and never slow.
struct SortKernel {
  const std::int32_t* begin;
  std::int32_t* list;
  SQUALL_HD static void sink(std::int32_t* x, Index at, Index n) {
    for (Index child = 2 * at + 1; child < n; child = 2 * at + 1) {
      if (child + 1 < n && x[child + 1] > x[child]) ++child;
      if (x[at] >= x[child]) return;
      const std::int32_t lower = x[at];
      x[at] = x[child];
      x[child] = lower;
      at = child;
    }
  }
  SQUALL_HD void operator()(Index place) const {
    std::int32_t* x = list + begin[place];
    const Index n = begin[place + 1] - begin[place];
    for (Index i = n / 2; i-- > 0;) sink(x, i, n);
    for (Index end = n; end-- > 1;) {
      const std::int32_t largest = x[0];
      x[0] = x[end];
      x[end] = largest;
      sink(x, 0, end);
    }
  }
};
template <class R>
struct AddListsKernel {
  const R* rows;
  const std::int32_t *begin, *list;
  R* out;
  Index columns, ld, out_ld;
  SQUALL_HD void operator()(Index i) const {
    const Divided at = divide(i, columns);
    const std::int32_t first = begin[at.quotient], end = begin[at.quotient + 1];
    if (first == end) return;
    R& to = out[at.quotient * out_ld + at.rest];
    R sum = to;
    for (std::int32_t e = first; e < end; ++e) sum += rows[list[e] * ld + at.rest];
    to = sum;
  }
};

// For each place 0 .. limit - 1 the numbers r with index[r] == place, in order: list[begin[place]] .. list[begin[place
// + 1]]. In memory of the context.
struct Lists {
  const std::int32_t *begin, *list;
};
inline Lists make_lists(Context& ctx, const std::int32_t* index, Index count, Index limit, FaultKey* fault) {
  const Index pieces = (limit + kPiece - 1) / kPiece;
  const auto ints = static_cast<std::size_t>(3 * limit + 1 + pieces + count);
  auto* counts = reinterpret_cast<std::int32_t*>(ctx.scratch(ints * sizeof(std::int32_t)));
  std::int32_t* next = counts + limit;
  std::int32_t* begin = next + limit;
  std::int32_t* sums = begin + limit + 1;
  std::int32_t* list = sums + pieces;
  ctx.zero(counts, static_cast<std::size_t>(limit) * sizeof(std::int32_t));
  each(ctx, count, CountKernel{index, counts, fault, limit});
  each(ctx, pieces, PieceSumKernel{counts, sums, limit});
  each(ctx, 1, PiecesBeforeKernel{sums, pieces});
  each(ctx, pieces, BeginKernel{counts, sums, begin, next, limit});
  each(ctx, count, ListKernel{index, next, list, limit});
  each(ctx, limit, SortKernel{begin, list});
  return {begin, list};
}

// out[index[r]] += rows[r] for r in 0 .. count - 1; index within 0 .. limit - 1.
template <class R>
void scatter_add(Context& ctx, const R* from, Index ld, const std::int32_t* index, Index count, Index columns, R* out,
                 Index out_ld, Index limit) {
  FaultKey* fault = outside(ctx, "scatter_add_rows", "index", limit);
  const Lists lists = make_lists(ctx, index, count, limit, fault);
  each(ctx, limit * columns, AddListsKernel<R>{from, lists.begin, lists.list, out, columns, ld, out_ld});
}

}  // namespace squall::cuda::SQUALL_GRID
