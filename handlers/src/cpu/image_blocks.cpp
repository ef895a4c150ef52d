#include "cpu/image_blocks.hpp"

namespace squall::cpu {

namespace {

// Columns (tap, channel) in the order of (block of channels, tap, channel); those of an incomplete last block are left
// out.
struct ChannelBlocks {
  Index channels, taps, step;

  Index columns() const { return ceil_div(channels, step) * tile(); }
  Index tile() const { return step * taps; }
  Index number(Index column) const {
    const Index c = column % channels;
    return c / step * tile() + column / channels * step + c % step;
  }
  Index column(Index number) const {
    return number % tile() / step * channels + number / tile() * step + number % step;
  }
};

// Channels whose part of a block of windows takes `bytes`, or more where a row would find few entries in them.
template <class R>
Index channels_at_once(const Window& w, const PixelBlock& block, double density, Index bytes) {
  constexpr Index kEntries = 8;
  const Index lines = (block.lines - 1) * w.stride_h + w.kernel_h;
  const Index columns = (block.pixels - 1) * w.stride_w + w.kernel_w;
  const Index by_cache = bytes / (lines * columns * kImageLanes * static_cast<Index>(sizeof(R)));
  const auto by_entries = static_cast<Index>(kEntries / (static_cast<double>(w.taps()) * std::max(density, 1e-6)));
  const Index wanted = std::max<Index>({by_cache, std::min(by_entries, w.channels), 1});
  return ceil_div(w.channels, ceil_div(w.channels, wanted));
}

SparsePattern reordered(const SparsePattern& p, const ChannelBlocks& order, std::vector<std::int32_t>& from) {
  SparsePattern out;
  out.rows = p.rows;
  out.columns = order.columns();
  out.row_begin = p.row_begin;
  std::vector<std::pair<std::int32_t, std::int32_t>> row;  // new column, number of the entry
  for (std::size_t r = 0; r < static_cast<std::size_t>(p.rows); ++r) {
    row.clear();
    for (Index e = p.row_begin[r]; e < p.row_begin[r + 1]; ++e) {
      const Index column = p.column[static_cast<std::size_t>(e)];
      row.emplace_back(static_cast<std::int32_t>(order.number(column)), static_cast<std::int32_t>(e));
    }
    std::sort(row.begin(), row.end());
    for (const auto& [column, entry] : row) {
      out.column.push_back(column);
      from.push_back(entry);
    }
  }
  return out;
}

}  // namespace

double ImageTiles::used(const Window& w, const PixelBlock& block) const {
  const Index computed = groups() * kImageLanes * round_up(height, block.lines) * round_up(width, block.pixels);
  return computed > 0 ? static_cast<double>(images * pixels(w)) / static_cast<double>(computed) : 0;
}

ImageTiles ImageTiles::best(const Window& w, Index images, const PixelBlock& block) {
  ImageTiles best = whole(w, images);
  double least = 0;
  for (Index down = 1; down <= kImageLanes; ++down)
    for (Index across = 1; across <= kImageLanes; across *= 2) {
      ImageTiles tiles{ceil_div(w.out_h(), down), ceil_div(w.out_w(), across), 0, 0, images};
      tiles.down = ceil_div(w.out_h(), tiles.height);
      tiles.across = ceil_div(w.out_w(), tiles.width);
      const Index lines = round_up(tiles.height, block.lines);
      const Index columns = round_up(tiles.width, block.pixels);
      // Bringing a pixel to its place and taking one away cost about as much as a quarter of what is computed for it.
      constexpr double kMoving = 0.25;
      const auto halo = static_cast<double>((lines + w.kernel_h - 1) * (columns + w.kernel_w - 1));
      const double cost = static_cast<double>(tiles.groups()) * (static_cast<double>(lines * columns) + kMoving * halo);
      if (least != 0 && cost >= least) continue;
      least = cost;
      best = tiles;
    }
  return best;
}

template <class R>
SparseBlocks<R> image_weight(const SparsePattern& pattern, const ImageProduct<R>& product, Index entries) {
  const Window& w = product.window();
  // Gradients share the first cache with their sums.
  const Index bytes = entries > 0 ? 12288 : 24576;
  const double density = std::max(pattern.density(), 1e-6);
  const ChannelBlocks order{w.channels, w.taps(), channels_at_once<R>(w, product.block(), density, bytes)};
  Tiling tiling{product.block().width(), order.tile(), Tiling::kMostRows};
  if (entries > 0) {
    constexpr Index kFewRows = 4;
    const auto rows = static_cast<Index>(static_cast<double>(entries) / (density * static_cast<double>(order.tile())));
    tiling.rows = std::clamp<Index>(round_up(rows, 2), kFewRows, Tiling::kMostRows);
  }
  std::vector<std::int32_t> from;
  SparseBlocks<R> blocks(reordered(pattern, order, from), tiling,
                         [&](Index number) { return product.layout().place(w, order.column(number)); });
  blocks.renumber(from);
  return blocks;
}
template SparseBlocks<float> image_weight(const SparsePattern&, const ImageProduct<float>&, Index);
template SparseBlocks<double> image_weight(const SparsePattern&, const ImageProduct<double>&, Index);

}  // namespace squall::cpu
