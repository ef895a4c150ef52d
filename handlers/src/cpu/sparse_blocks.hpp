// A sparse matrix prepared for blocks of examples: y^T = W x^T with features in rows and a block of examples along the
// vectors. Rows are cut into chunks, and inside a chunk columns into tiles whose part of x stays in the first cache;
// inside a tile rows of about equal length are computed in pairs.
#pragma once

#include <functional>
#include <vector>

#include "cpu/context.hpp"
#include "cpu/finish.hpp"
#include "squall/core/ops/elementwise.hpp"
#include "squall/core/sparse_pattern.hpp"

namespace squall::cpu {

// Examples in a block: what takes least time for all of them, those missing in the last block included.
Index block_width(Index examples, Index widest);

struct Tiling {
  static constexpr Index kMostRows = 256;
  Index width = 0;         // examples in a block
  Index columns = 0;       // of a tile; 0: those whose part of x stays in the first cache
  Index rows = kMostRows;  // of a chunk, at most
};

// Room for the sums of the largest chunk of a matrix with so many rows: its rows and a spare one.
inline Index chunk_sums(Index rows, Index width) { return (std::min(rows, Tiling::kMostRows) + 1) * width; }

template <class R>
class SparseBlocks {
 public:
  // place(column): where the column's values of a block begin, in elements. Values are to be taken before the first
  // product.
  SparseBlocks(const SparsePattern& w, const Tiling& tiling, const std::function<Index(Index)>& place);
  // Values in the order of the pattern's entries; with `once` no others will come.
  template <class V>
  void take_values(const Parallel& parallel, const V* value, bool once = false) {
    parallel.pieces(stored(), 2, [&](Index first, Index count) {
      for (auto i = static_cast<std::size_t>(first); i < static_cast<std::size_t>(first + count); ++i)
        value_[i] = source_[i] < 0 ? R(0) : static_cast<R>(value[source_[i]]);
    });
    if (once) source_ = {};
  }
  // Entry i of the pattern is entry from[i] of another order, in which values come from now on.
  void renumber(const std::vector<std::int32_t>& from);
  Index rows() const { return rows_; }
  Index columns() const { return columns_; }
  Index width() const { return width_; }
  Index chunks() const { return static_cast<Index>(chunks_.size()); }
  Index stored() const { return static_cast<Index>(value_.size()); }
  Index sums() const { return chunk_sums(rows_, width_); }

  // A tile of entries, for their gradients.
  struct Piece {
    Index first_row = 0;  // RowGroups count from it
    RowGroups groups;
    const std::int32_t* offset = nullptr;
    const std::int32_t* source = nullptr;  // the pattern's entry, or -1
    Index entries = 0;
  };
  Index pieces() const { return static_cast<Index>(tiles_.size()); }
  Piece piece(Index tile) const;
  Index largest_piece() const;

  // Fills `sums` with y^T of a block: rows of the chunk by examples. add(groups, offsets, values) runs the kernel.
  template <class Add>
  Span compute(const Kernels<R>& k, Index chunk, const R* bias, Activation f, R* sums, const Add& add) const {
    const Chunk& c = chunks_[static_cast<std::size_t>(chunk)];
    for (Index r = 0; r < c.rows.count; ++r)
      std::fill_n(sums + r * width_, width_, bias != nullptr ? bias[c.rows.first + r] : R(0));
    std::fill_n(sums + c.rows.count * width_, width_, R(0));
    for (std::size_t t = c.first_tile; t < c.first_tile + c.tiles; ++t) {
      const Tile& tile = tiles_[t];
      add(RowGroups{tile.pairs, row_.data() + 2 * tile.first_pair, length_.data() + tile.first_pair},
          offset_.data() + tile.first_entry, value_.data() + tile.first_entry);
    }
    if (f != Activation::Linear && f != Activation::Softmax) k.activate[at(f)](c.rows.count * width_, sums, sums);
    return c.rows;
  }

 private:
  struct Tile {
    std::size_t first_pair = 0, first_entry = 0;
    Index pairs = 0, entries = 0, first_row = 0;
  };
  struct Chunk {
    Span rows;
    std::size_t first_tile = 0, tiles = 0;
  };
  void add_tile(const SparsePattern& w, Span rows, Index from, Index to, const std::function<Index(Index)>& place,
                std::vector<std::size_t>& next);

  Index rows_, columns_, width_;
  std::vector<Chunk> chunks_;
  std::vector<Tile> tiles_;
  std::vector<std::int32_t> row_, length_, offset_, source_;
  std::vector<R> value_;
};

// Runs a product: `source` brings examples into blocks (fill(block, part, worker, x) for part < parts()), results go to
// rows of y. The workspace holds workspace_elements().
template <class R>
class SparseRun {
 public:
  SparseRun(const SparseBlocks<R>& w, Index examples, const Context<R>& ctx)
      : w_(w), examples_(examples), blocks_(ceil_div(examples, w.width())), ctx_(ctx) {}
  std::size_t workspace_elements() const {
    return static_cast<std::size_t>(rooms() * inputs() + ctx_.parallel().threads() * w_.sums());
  }
  template <class Source>
  void operator()(const Source& source, const R* bias, Activation f, R* y, R* workspace) const {
    const bool worth = 2 * w_.stored() * examples_ >= kWorthFlops;
    const Index parts = source.parts();
    R* x = workspace;
    const auto sums = [&](int worker) { return workspace + rooms() * inputs() + worker * w_.sums(); };
    if (many_blocks()) {
      ctx_.parallel().run(blocks_, worth, [&](Index block, int worker) {
        R* mine = x + worker * inputs();
        for (Index part = 0; part < parts; ++part) source.fill(block, part, worker, mine);
        for (Index chunk = 0; chunk < w_.chunks(); ++chunk) compute(block, chunk, mine, bias, f, y, sums(worker));
      });
      return;
    }
    ctx_.parallel().run(blocks_ * parts, worth, [&](Index tile, int worker) {
      source.fill(tile / parts, tile % parts, worker, x + tile / parts * inputs());
    });
    on_blocks(x, inputs(), bias, f, y, sums(0), w_.sums());
  }
  // The same with all examples in blocks already, `step` elements apart; `sums`: of each worker, `room` apart.
  void on_blocks(const R* x, Index step, const R* bias, Activation f, R* y, R* sums, Index room) const {
    const bool worth = 2 * w_.stored() * examples_ >= kWorthFlops;
    ctx_.parallel().run(blocks_ * w_.chunks(), worth, [&](Index tile, int worker) {
      const Index block = tile / w_.chunks();
      compute(block, tile % w_.chunks(), x + block * step, bias, f, y, sums + worker * room);
    });
  }

 private:
  bool many_blocks() const { return blocks_ >= 8; }
  Index inputs() const { return w_.columns() * w_.width(); }
  Index rooms() const { return many_blocks() ? ctx_.parallel().threads() : blocks_; }
  void compute(Index block, Index chunk, const R* x, const R* bias, Activation f, R* y, R* sums) const {
    const Kernels<R>& k = ctx_.kernels();
    const Index width = w_.width();
    const auto kernel = k.sparse_block[width == 64 ? 3 : width == 32 ? 2 : width == 16 ? 1 : 0];
    const Span rows =
        w_.compute(k, chunk, bias, f, sums,
                   [&](const RowGroups& g, const std::int32_t* offset, const R* v) { kernel(g, offset, v, x, sums); });
    const R* lines[Tiling::kMostRows];
    for (Index r = 0; r < rows.count; ++r) lines[r] = sums + r * width;
    const Index first = block * width;
    k.transpose_rows(rows.count, std::min(width, examples_ - first), lines, y + first * w_.rows() + rows.first,
                     w_.rows());
  }
  const SparseBlocks<R>& w_;
  Index examples_, blocks_;
  const Context<R>& ctx_;
};

// Gradients of entries, in the order of a piece, to where the pattern has them.
template <class R>
void take_entries(const std::int32_t* source, Index entries, const R* sums, R* to, Write mode) {
  for (Index e = 0; e < entries; ++e) {
    if (source[e] < 0) continue;
    to[source[e]] = mode == Write::Add ? to[source[e]] + sums[e] : sums[e];
  }
}
template <class R>
void add_all(const Context<R>& ctx, const std::vector<R>& x, R* to) {
  const auto add = ctx.kernels().unary[at(Unary::Copy)][at(Write::Add)];
  ctx.parallel().pieces(static_cast<Index>(x.size()), 1,
                        [&](Index first, Index count) { add(count, x.data() + first, to + first); });
}

}  // namespace squall::cpu
