// Convolutions of interleaved images with a sparse weight: kImageLanes images side by side, padded with zeros, so that
// a window is found without being copied.
#pragma once

#include "cpu/sparse_blocks.hpp"
#include "cpu/windows.hpp"

namespace squall::cpu {

// Images as (groups of kImageLanes images, height, width, channels, image).
struct Interleaved {
  Index height, width, channels, groups;

  // `at_once`: output pixels that a kernel computes together; lines are long enough for them, also where they begin
  // below the last output, and have at least `least_width` pixels.
  Interleaved(const Window& w, Index images, Index at_once, Index least_width = 0)
      : height((w.out_h() - 1) * w.stride_h + w.kernel_h),
        width(std::max((round_up(w.out_w(), at_once) - 1) * w.stride_w + w.kernel_w, least_width)),
        channels(w.channels),
        groups(ceil_div(images, kImageLanes)) {}
  Index line() const { return width * channels * kImageLanes; }
  Index group() const { return height * line(); }
  Index elements() const { return groups * group() + kImageLanes; }  // rows next to the last are read, not used
  // Where tap and channel of a weight's column are, from the window's corner.
  Index place(const Window& w, Index column) const {
    const Index tap = column / channels;
    return (tap / w.kernel_w * width + tap % w.kernel_w) * channels * kImageLanes + column % channels * kImageLanes;
  }
};

// The geometry of one product, and its steps. Windows are flat and not dilated.
template <class R>
class ImageProduct {
 public:
  ImageProduct(const Window& w, Index images, Index filters, const Context<R>& ctx, Index at_once,
               Index least_width = 0)
      : w_(w), images_(images), filters_(filters), ctx_(ctx), layout_(w, images, at_once, least_width) {}
  const Interleaved& layout() const { return layout_; }
  const Window& window() const { return w_; }

  // All images, padded and interleaved, into layout().elements().
  void interleave(const R* x, R* to, bool worth) const {
    ctx_.parallel().run(layout_.groups * layout_.height, worth,
                        [&](Index tile, int) { interleave_line(x, to, tile / layout_.height, tile % layout_.height); });
  }
  // y (N, out..., filters) = f(product + bias); `sums`: weight.sums() for each worker.
  void run(const SparseBlocks<R>& weight, const R* images, const R* bias, Activation f, R* sums, R* y) const {
    const bool worth = 2 * weight.stored() * images_ * pixels(w_) >= kWorthFlops;
    ctx_.parallel().run(layout_.groups * w_.out_h(), worth, [&](Index tile, int worker) {
      compute_line(weight, images, tile / w_.out_h(), tile % w_.out_h(), bias, f, sums + worker * weight.sums(), y);
    });
  }

 private:
  const Kernels<R>& k() const { return ctx_.kernels(); }
  Index images_in(Index group) const { return std::min<Index>(kImageLanes, images_ - group * kImageLanes); }

  void interleave_line(const R* x, R* images, Index group, Index line) const {
    R* to = images + group * layout_.group() + line * layout_.line();
    const Index row = line - w_.top;
    const Index left = std::min(w_.left, layout_.width);
    const Index there = row >= 0 && row < w_.height ? std::min(w_.width, layout_.width - left) : 0;
    const Index pixel = layout_.channels * kImageLanes;
    std::fill_n(to, left * pixel, R(0));
    std::fill(to + (left + there) * pixel, to + layout_.line(), R(0));
    const R* rows[kImageLanes];
    for (Index i = 0; i < kImageLanes; ++i)
      rows[i] = i < images_in(group)
                    ? x + (group * kImageLanes + i) * image_size(w_) + std::max<Index>(row, 0) * w_.width * w_.channels
                    : nullptr;
    k().transpose_rows(kImageLanes, there * w_.channels, rows, to + left * pixel, kImageLanes);
  }
  // One line of output pixels, a few at a time; the last ones may be computed twice.
  void compute_line(const SparseBlocks<R>& weight, const R* images, Index group, Index line, const R* bias,
                    Activation f, R* sums, R* y) const {
    const Index step = k().sparse_pixels;
    const Index stride = w_.stride_w * layout_.channels * kImageLanes;
    const R* corner = images + group * layout_.group() + line * w_.stride_h * layout_.line();
    for (Index at = 0; at < w_.out_w(); at += step) {
      const Index first = std::max<Index>(std::min(at, w_.out_w() - step), 0);
      const Index count = std::min(step, w_.out_w() - first);
      for (Index chunk = 0; chunk < weight.chunks(); ++chunk) {
        const auto add = [&](const RowGroups& g, const std::int32_t* offset, const R* value) {
          k().sparse_images(g, offset, value, corner + first * stride, stride, sums);
        };
        const Span rows = weight.compute(k(), chunk, bias, f, sums, add);
        put(weight.width(), group, line, first, count, rows, sums, y);
      }
    }
  }
  void put(Index width, Index group, Index line, Index first, Index count, Span rows, const R* sums, R* y) const {
    const Index image = pixels(w_) * filters_;
    const R* lines[SparseBlocks<R>::kChunkRows];
    for (Index p = 0; p < count; ++p) {
      for (Index r = 0; r < rows.count; ++r) lines[r] = sums + r * width + p * kImageLanes;
      R* to = y + group * kImageLanes * image + (line * w_.out_w() + first + p) * filters_ + rows.first;
      k().transpose_rows(rows.count, images_in(group), lines, to, image);
    }
  }

  Window w_;
  Index images_, filters_;
  const Context<R>& ctx_;
  Interleaved layout_;
};

}  // namespace squall::cpu
