#include "cpu/sparse_blocks.hpp"

#include <numeric>

namespace squall::cpu {

namespace {

// Widths of a block with the time of one of its examples against the widest's.
struct Width {
  Index examples;
  double cost;
};
constexpr Width kWidths[] = {{8, 2.6}, {16, 1.6}, {32, 1.15}, {64, 1.0}};

// Columns of a tile: their part of x takes about 40 KiB, but a row should find some entries in it.
Index tile_columns(const SparsePattern& w, Index width, std::size_t element) {
  constexpr Index kTileBytes = 40960, kEntries = 8;
  const Index by_cache = kTileBytes / (width * static_cast<Index>(element));
  const Index by_entries = w.kept() > 0 ? kEntries * w.rows * w.columns / w.kept() : w.columns;
  const Index wanted = std::max<Index>(std::max(by_cache, by_entries), 1);
  const Index tiles = std::max<Index>(ceil_div(w.columns, wanted), 1);
  return std::max<Index>(ceil_div(w.columns, tiles), 1);
}

}  // namespace

Index block_width(Index examples, Index widest) {
  Index best = 8;
  double least = 0;
  for (const Width& w : kWidths) {
    if (w.examples > widest) break;
    const double cost = static_cast<double>(round_up(examples, w.examples)) * w.cost;
    if (w.examples == 8 || cost <= least) {
      best = w.examples;
      least = cost;
    }
  }
  return best;
}

template <class R>
SparseBlocks<R>::SparseBlocks(const SparsePattern& w, const Tiling& tiling, const std::function<Index(Index)>& place)
    : rows_(w.rows), columns_(w.columns), width_(tiling.width) {
  const Index step = tiling.columns > 0 ? tiling.columns : tile_columns(w, width_, sizeof(R));
  const Index count = ceil_div(rows_, tiling.rows);
  for (Index c = 0; c < count; ++c) {
    Chunk chunk{part_of(rows_, count, c), tiles_.size(), 0};
    std::vector<std::size_t> next;  // first entry of each row that is not yet in a tile
    for (Index r = 0; r < chunk.rows.count; ++r)
      next.push_back(static_cast<std::size_t>(w.row_begin[static_cast<std::size_t>(chunk.rows.first + r)]));
    for (Index from = 0; from < columns_; from += step) add_tile(w, chunk.rows, from, from + step, place, next);
    chunk.tiles = tiles_.size() - chunk.first_tile;
    chunks_.push_back(chunk);
  }
  value_.assign(source_.size(), R(0));
}

template <class R>
void SparseBlocks<R>::renumber(const std::vector<std::int32_t>& from) {
  for (auto& s : source_)
    if (s >= 0) s = from[static_cast<std::size_t>(s)];
}

template <class R>
typename SparseBlocks<R>::Piece SparseBlocks<R>::piece(Index tile) const {
  const Tile& t = tiles_[static_cast<std::size_t>(tile)];
  return {t.first_row, RowGroups{t.pairs, row_.data() + 2 * t.first_pair, length_.data() + t.first_pair},
          offset_.data() + t.first_entry, source_.data() + t.first_entry, t.entries};
}

template <class R>
Index SparseBlocks<R>::largest_piece() const {
  Index most = 0;
  for (const Tile& t : tiles_) most = std::max(most, t.entries);
  return most;
}

template <class R>
void SparseBlocks<R>::add_tile(const SparsePattern& w, Span rows, Index from, Index to,
                               const std::function<Index(Index)>& place, std::vector<std::size_t>& next) {
  const auto n = static_cast<std::size_t>(rows.count);
  std::vector<std::size_t> begin = next;
  std::vector<std::size_t> length(n), order;
  for (std::size_t r = 0; r < n; ++r) {
    const auto end = static_cast<std::size_t>(w.row_begin[static_cast<std::size_t>(rows.first) + r + 1]);
    while (next[r] < end && w.column[next[r]] < to) ++next[r];
    length[r] = next[r] - begin[r];
    if (length[r] > 0) order.push_back(r);
  }
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return length[a] < length[b]; });
  Tile tile{length_.size(), source_.size(), static_cast<Index>((order.size() + 1) / 2), 0, rows.first};
  for (std::size_t i = 0; i < order.size(); i += 2) {
    const bool alone = i + 1 == order.size();
    const std::size_t pair[2] = {order[i], alone ? n : order[i + 1]};
    const std::size_t longest = alone ? length[pair[0]] : length[pair[1]];
    row_.push_back(static_cast<std::int32_t>(pair[0]));
    row_.push_back(static_cast<std::int32_t>(pair[1]));
    length_.push_back(static_cast<std::int32_t>(longest));
    for (std::size_t e = 0; e < longest; ++e)
      for (std::size_t r : pair) {
        const bool there = r < n && e < length[r];
        const Index column = there ? w.column[begin[r] + e] : from;
        offset_.push_back(static_cast<std::int32_t>(place(column)));
        source_.push_back(there ? static_cast<std::int32_t>(begin[r] + e) : -1);
      }
  }
  tile.entries = static_cast<Index>(source_.size() - tile.first_entry);
  if (tile.pairs > 0) tiles_.push_back(tile);
}

template class SparseBlocks<float>;
template class SparseBlocks<double>;

}  // namespace squall::cpu
