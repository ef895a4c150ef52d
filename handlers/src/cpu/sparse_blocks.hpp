// A sparse matrix prepared for blocks of examples: y^T = W x^T with features in rows and a block of examples along the
// vectors. Rows are cut into chunks, and inside a chunk columns into tiles whose part of x stays in the first cache;
// inside a tile rows of about equal length are computed in pairs.
#pragma once

#include <vector>

#include "cpu/context.hpp"
#include "cpu/finish.hpp"
#include "squall/core/packed_weight.hpp"

namespace squall::cpu {

template <class R>
class SparseBlocks {
 public:
  static constexpr Index kChunkRows = 256;

  SparseBlocks(const PackedWeight& w, Index examples, const Kernels<R>& kernels);
  Index rows() const { return rows_; }
  Index columns() const { return columns_; }
  Index width() const { return width_; }  // examples in a block
  Index blocks() const { return ceil_div(examples_, width_); }
  Index examples() const { return examples_; }
  Index chunks() const { return static_cast<Index>(chunks_.size()); }
  Index stored() const { return static_cast<Index>(value_.size()); }
  Span chunk_rows(Index chunk) const { return chunks_[static_cast<std::size_t>(chunk)].rows; }
  // y: (chunk's rows + 1, width), the last row is a spare; x: (columns, width).
  void add_chunk(const Kernels<R>& k, Index chunk, const R* x, R* y) const;

 private:
  struct Tile {
    std::size_t first_pair = 0, first_entry = 0;
    Index pairs = 0;
  };
  struct Chunk {
    Span rows;
    std::size_t first_tile = 0, tiles = 0;
  };
  void add_tile(const PackedWeight& w, Span rows, Index from, Index to, std::vector<std::size_t>& next);

  Index rows_, columns_, examples_, width_ = 8;
  std::vector<Chunk> chunks_;
  std::vector<Tile> tiles_;
  std::vector<std::int32_t> row_, length_, offset_;
  std::vector<R> value_;
};

// Runs a product: `source` brings examples into blocks (fill(block, part, x) for part < parts()), results go to rows
// of y. The workspace holds workspace_elements().
template <class R>
class SparseRun {
 public:
  SparseRun(const SparseBlocks<R>& w, const Context<R>& ctx) : w_(w), ctx_(ctx) {}
  std::size_t workspace_elements() const {
    const Index workers = ctx_.parallel().threads();
    const Index inputs = w_.columns() * w_.width();
    return static_cast<std::size_t>((many_blocks() ? workers : w_.blocks()) * inputs + workers * outputs());
  }
  template <class Source>
  void operator()(const Source& source, const R* bias, Activation f, R* y, R* workspace) const {
    const bool worth = 2 * w_.stored() * w_.examples() >= kWorthFlops;
    const Index inputs = w_.columns() * w_.width();
    R* x = workspace;
    R* sums = workspace + (many_blocks() ? ctx_.parallel().threads() : w_.blocks()) * inputs;
    if (many_blocks()) {
      ctx_.parallel().run(w_.blocks(), worth, [&](Index block, int worker) {
        R* mine = x + worker * inputs;
        for (Index part = 0; part < source.parts(); ++part) source.fill(block, part, mine);
        for (Index chunk = 0; chunk < w_.chunks(); ++chunk)
          compute(block, chunk, mine, bias, f, y, sums + worker * outputs());
      });
      return;
    }
    ctx_.parallel().run(w_.blocks() * source.parts(), worth, [&](Index tile, int) {
      source.fill(tile / source.parts(), tile % source.parts(), x + tile / source.parts() * inputs);
    });
    ctx_.parallel().run(w_.blocks() * w_.chunks(), worth, [&](Index tile, int worker) {
      const Index block = tile / w_.chunks();
      compute(block, tile % w_.chunks(), x + block * inputs, bias, f, y, sums + worker * outputs());
    });
  }

 private:
  bool many_blocks() const { return w_.blocks() >= 8; }
  Index outputs() const { return (SparseBlocks<R>::kChunkRows + 1) * w_.width(); }
  void compute(Index block, Index chunk, const R* x, const R* bias, Activation f, R* y, R* sums) const {
    const Kernels<R>& k = ctx_.kernels();
    const Span rows = w_.chunk_rows(chunk);
    const Index width = w_.width();
    const R* lines[SparseBlocks<R>::kChunkRows];
    for (Index r = 0; r < rows.count; ++r) {
      lines[r] = sums + r * width;
      std::fill_n(sums + r * width, width, bias != nullptr ? bias[rows.first + r] : R(0));
    }
    std::fill_n(sums + rows.count * width, width, R(0));
    w_.add_chunk(k, chunk, x, sums);
    if (f != Activation::Linear && f != Activation::Softmax) k.activate[at(f)](rows.count * width, sums, sums);
    const Index first = block * width;
    k.transpose_rows(rows.count, std::min(width, w_.examples() - first), lines, y + first * w_.rows() + rows.first,
                     w_.rows());
  }
  const SparseBlocks<R>& w_;
  const Context<R>& ctx_;
};

}  // namespace squall::cpu
