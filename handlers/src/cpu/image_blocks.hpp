// Convolutions of interleaved images with a sparse weight: kImageLanes images side by side, padded with zeros, so that
// a window is found without being copied.
#pragma once

#include "cpu/aligned.hpp"
#include "cpu/sparse_blocks.hpp"
#include "cpu/windows.hpp"

namespace squall::cpu {

// Output pixels that a kernel computes together.
struct PixelBlock {
  Index lines, pixels;
  template <class R>
  explicit PixelBlock(const Kernels<R>& k) : lines(k.image_lines), pixels(k.image_pixels) {}
  Index width() const { return lines * pixels * kImageLanes; }
};

struct ImageExtent {
  Index height = 0, width = 0;
};

// How images are cut into tiles, which lie side by side: whole images where there are many, else parts of them, so that
// few images fill the vectors, too. Extents are output pixels.
struct ImageTiles {
  Index height, width, down, across, images;

  static ImageTiles whole(const Window& w, Index images) { return {w.out_h(), w.out_w(), 1, 1, images}; }
  // What takes least work, padding included.
  static ImageTiles best(const Window& w, Index images, const PixelBlock& block);
  Index count() const { return images * down * across; }
  Index groups() const { return ceil_div(count(), kImageLanes); }
  bool are_whole() const { return down == 1 && across == 1; }
  // The share of what is computed that is wanted.
  double used(const Window& w, const PixelBlock& block) const;
  struct Place {
    Index image, line, column;  // of the first output pixel
  };
  Place place(Index tile) const {
    return {tile / (down * across), tile / across % down * height, tile % across * width};
  }
};

// Tiles as (groups of kImageLanes tiles, height, channels, width, tile): what a window's channels hold at one place is
// a line apart, which is odd, so that channels do not meet in one part of the cache.
struct Interleaved {
  Index height, width, channels, groups;

  // There is room for the windows of whole blocks of pixels, and for `least`.
  Interleaved(const Window& w, const ImageTiles& tiles, const PixelBlock& block, const ImageExtent& least = {})
      : height(std::max((round_up(tiles.height, block.lines) - 1) * w.stride_h + w.kernel_h, least.height)),
        width(std::max((round_up(tiles.width, block.pixels) - 1) * w.stride_w + w.kernel_w, least.width) | 1),
        channels(w.channels),
        groups(tiles.groups()) {}
  Index channel() const { return width * kImageLanes; }
  Index line() const { return channels * channel(); }
  Index group() const { return height * line(); }
  Index elements() const { return groups * group() + channel(); }  // rows next to the last are read, not used
  // Where tap and channel of a weight's column are, from the window's corner.
  Index place(const Window& w, Index column) const {
    const Index tap = column / channels;
    return tap / w.kernel_w * line() + column % channels * channel() + tap % w.kernel_w * kImageLanes;
  }
};

// The geometry of one product, and its steps. Windows are flat and not dilated.
template <class R>
class ImageProduct {
 public:
  ImageProduct(const Window& w, const ImageTiles& tiles, Index filters, const Context<R>& ctx,
               const ImageExtent& least = {})
      : w_(w),
        tiles_(tiles),
        filters_(filters),
        ctx_(ctx),
        block_(ctx.kernels()),
        layout_(w, tiles, block_, least),
        stripe_(fitting_stripe()) {}
  const Interleaved& layout() const { return layout_; }
  const Window& window() const { return w_; }
  const PixelBlock& block() const { return block_; }

  // All tiles, padded and interleaved, into layout().elements().
  void interleave(const R* x, R* to, bool worth) const {
    ctx_.parallel().run(layout_.groups * layout_.height, worth, [&](Index line, int) {
      interleave_line(x, line / layout_.height, line % layout_.height, to + line * layout_.line());
    });
  }
  // One padded line of a group.
  void interleave_line(const R* x, Index group, Index line, R* to) const {
    const R* rows[kImageLanes];  // the line of each tile in its image, which begins at column `first`
    Index first[kImageLanes];
    for (Index i = 0; i < kImageLanes; ++i) {
      const auto at = tiles_.place(group * kImageLanes + i);
      const Index row = at.line * w_.stride_h + line - w_.top;
      const bool there = i < tiles_in(group) && row >= 0 && row < w_.height;
      rows[i] = there ? x + at.image * image_size(w_) + row * w_.width * w_.channels : nullptr;
      first[i] = at.column * w_.stride_w - w_.left;
    }
    if (w_.channels == 1 && tiles_.are_whole()) return interleave_pixels(rows, to);
    const R* pixel[kImageLanes];
    for (Index p = 0; p < layout_.width; ++p) {
      bool any = false;
      for (Index i = 0; i < kImageLanes; ++i) {
        const Index column = first[i] + p;
        const bool there = rows[i] != nullptr && column >= 0 && column < w_.width;
        pixel[i] = there ? rows[i] + column * w_.channels : nullptr;
        any = any || there;
      }
      R* out = to + p * kImageLanes;
      if (any)
        k().transpose_rows(kImageLanes, w_.channels, pixel, out, layout_.channel());
      else
        for (Index c = 0; c < layout_.channels; ++c) std::fill_n(out + c * layout_.channel(), kImageLanes, R(0));
    }
  }
  // Of images with one channel: pixels are next to each other.
  void interleave_pixels(const R* const* rows, R* to) const {
    const Index left = std::min(w_.left, layout_.width);
    const Index there = std::min(w_.width, layout_.width - left);
    std::fill_n(to, left * kImageLanes, R(0));
    k().transpose_rows(kImageLanes, there, rows, to + left * kImageLanes, kImageLanes);
    std::fill(to + (left + there) * kImageLanes, to + layout_.channel(), R(0));
  }
  // Elements that a worker needs to run a product.
  Index room() const { return stripe_lines() * layout_.line() + chunk_sums(filters_, block_.width()); }
  // y (N, out..., filters) = f(product + bias) of images x; `rooms`: room() for each worker. A few lines of a group are
  // interleaved at a time and stay in the second cache.
  void run(const SparseBlocks<R>& weight, const R* x, const R* bias, Activation f, R* rooms, R* y) const {
    constexpr Index kTasks = 16;
    const bool worth = 2 * weight.stored() * tiles_.images * pixels(w_) >= kWorthFlops;
    const Index stripes = ceil_div(tiles_.height, stripe_);
    const Index parts = std::min(stripes, ceil_div(kTasks, layout_.groups));
    ctx_.parallel().run(layout_.groups * parts, worth, [&](Index task, int worker) {
      R* lines = rooms + worker * room();
      const Span mine = part_of(stripes, parts, task % parts);
      for (Index s = mine.first; s < mine.first + mine.count; ++s) {
        take_lines(x, task / parts, s, s > mine.first, lines);
        const Index end = std::min(tiles_.height, (s + 1) * stripe_);
        for (Index line = s * stripe_; line < end; line += block_.lines)
          compute_lines(weight, lines + (line - s * stripe_) * w_.stride_h * layout_.line(), task / parts, line, bias,
                        f, lines + stripe_lines() * layout_.line(), y);
      }
    });
  }

 private:
  const Kernels<R>& k() const { return ctx_.kernels(); }
  Index tiles_in(Index group) const { return std::min<Index>(kImageLanes, tiles_.count() - group * kImageLanes); }
  // Input lines of a stripe.
  Index stripe_lines() const { return (stripe_ - 1) * w_.stride_h + w_.kernel_h; }
  Index fitting_stripe() const {
    constexpr Index kStripeBytes = 786432;
    const Index fit = kStripeBytes / (layout_.line() * static_cast<Index>(sizeof(R)));
    const Index lines = (std::max<Index>(fit - w_.kernel_h, 0) / w_.stride_h + 1) / block_.lines * block_.lines;
    // Few groups are shared between the threads.
    const Index shares = std::max<Index>(ctx_.parallel().threads() / layout_.groups, 1);
    const Index most = round_up(ceil_div(tiles_.height, shares), block_.lines);
    return std::clamp(lines, block_.lines, most);
  }
  // The lines of a stripe; those it shares with the one before are there if that is what `lines` holds.
  void take_lines(const R* x, Index group, Index stripe, bool follows, R* lines) const {
    const Index shared = follows ? std::max<Index>(w_.kernel_h - w_.stride_h, 0) : 0;
    std::copy_n(lines + stripe_ * w_.stride_h * layout_.line(), shared * layout_.line(), lines);
    for (Index l = shared; l < stripe_lines(); ++l)
      interleave_line(x, group, stripe * stripe_ * w_.stride_h + l, lines + l * layout_.line());
  }
  // The output pixels of the lines of a block; `corner`: where the first window begins.
  void compute_lines(const SparseBlocks<R>& weight, const R* corner, Index group, Index line, const R* bias,
                     Activation f, R* sums, R* y) const {
    const Index stride = w_.stride_w * kImageLanes;
    const Index next_line = w_.stride_h * layout_.line();
    for (Index first = 0; first < tiles_.width; first += block_.pixels) {
      for (Index chunk = 0; chunk < weight.chunks(); ++chunk) {
        const auto add = [&](const RowGroups& g, const std::int32_t* offset, const R* value) {
          k().sparse_images(g, offset, value, corner + first * stride, stride, next_line, sums);
        };
        const Span rows = weight.compute(k(), chunk, bias, f, sums, add);
        put(group, line, first, rows, sums, y);
      }
    }
  }
  void put(Index group, Index line, Index first, Span rows, const R* sums, R* y) const {
    const Index image = pixels(w_) * filters_;
    const R* lines[Tiling::kMostRows];
    for (Index l = 0; l < std::min(block_.lines, tiles_.height - line); ++l)
      for (Index p = 0; p < std::min(block_.pixels, tiles_.width - first); ++p) {
        for (Index r = 0; r < rows.count; ++r)
          lines[r] = sums + r * block_.width() + (l * block_.pixels + p) * kImageLanes;
        if (tiles_.are_whole()) {
          R* to = y + group * kImageLanes * image + ((line + l) * w_.out_w() + first + p) * filters_ + rows.first;
          k().transpose_rows(rows.count, tiles_in(group), lines, to, image);
        } else {
          put_tiles(group, line + l, first + p, rows, lines, y);
        }
      }
  }
  // The same pixel of each tile of a group.
  void put_tiles(Index group, Index line, Index column, Span rows, const R* const* lines, R* y) const {
    alignas(kCacheLine) R tile[kImageLanes * Tiling::kMostRows];
    k().transpose_rows(rows.count, kImageLanes, lines, tile, Tiling::kMostRows);
    for (Index i = 0; i < tiles_in(group); ++i) {
      const auto at = tiles_.place(group * kImageLanes + i);
      if (at.line + line >= w_.out_h() || at.column + column >= w_.out_w()) continue;
      R* to = y + at.image * pixels(w_) * filters_ + ((at.line + line) * w_.out_w() + at.column + column) * filters_;
      std::copy_n(tile + i * Tiling::kMostRows, rows.count, to + rows.first);
    }
  }

  Window w_;
  ImageTiles tiles_;
  Index filters_;
  const Context<R>& ctx_;
  PixelBlock block_;
  Interleaved layout_;
  Index stripe_;  // output lines computed from lines interleaved together
};

// The weight of a product, in tiles of some channels with all their taps. `entries`: of a tile, at most, if it has more
// than a few rows.
template <class R>
SparseBlocks<R> image_weight(const SparsePattern& pattern, const ImageProduct<R>& product, Index entries = 0);

}  // namespace squall::cpu
