// Walks over the pixels that a window sees, shared by window operations, convolution and pooling.
#pragma once

#include <algorithm>

#include "squall/core/ops/windows.hpp"

namespace squall::cpu {

// The part of a window at one output pixel that lies inside the image.
struct Clip {
  Index y0 = 0, x0 = 0;                      // image coordinates of tap (0, 0); may be negative
  Index ky0 = 0, ky1 = 0, kx0 = 0, kx1 = 0;  // taps inside

  Clip(const Window& w, Index oy, Index ox)
      : y0(oy * w.stride_h - w.top),
        x0(ox * w.stride_w - w.left),
        ky0(std::clamp<Index>(-y0, 0, w.kernel_h)),
        ky1(std::clamp<Index>(w.height - y0, ky0, w.kernel_h)),
        kx0(std::clamp<Index>(-x0, 0, w.kernel_w)),
        kx1(std::clamp<Index>(w.width - x0, kx0, w.kernel_w)) {}
  bool whole(const Window& w) const { return ky0 == 0 && kx0 == 0 && ky1 == w.kernel_h && kx1 == w.kernel_w; }
  Index count() const { return (ky1 - ky0) * (kx1 - kx0); }
  // Offset in one image of the pixel under tap (ky, kx).
  Index offset(const Window& w, Index ky, Index kx) const { return ((y0 + ky) * w.width + x0 + kx) * w.channels; }
};

inline Index image_size(const Window& w) { return w.height * w.width * w.channels; }
inline Index pixels(const Window& w) { return w.out_h() * w.out_w(); }

// Short runs are the rule (a row of the kernel times the channels): a loop beats a call of memcpy.
template <class R>
inline void copy_run(const R* from, R* to, Index n) {
  for (Index i = 0; i < n; ++i) to[i] = from[i];
}

// Writes the taps of output pixel (oy, ox) of one image as a row of kernel_h kernel_w channels elements.
template <class R>
inline void copy_window(const R* image, const Window& w, Index oy, Index ox, R pad, R* out) {
  const Clip c(w, oy, ox);
  const Index line = w.kernel_w * w.channels;
  if (!c.whole(w)) std::fill_n(out, w.kernel_h * line, pad);
  const Index run = (c.kx1 - c.kx0) * w.channels;
  for (Index ky = c.ky0; ky < c.ky1; ++ky)
    copy_run(image + c.offset(w, ky, c.kx0), out + ky * line + c.kx0 * w.channels, run);
}

// Rows for output pixels first .. first + count, counted over all images.
template <class R>
void copy_windows(const R* x, const Window& w, R pad, Index first, Index count, R* out) {
  const Index per_image = pixels(w);
  const Index width = w.out_w();
  const Index size = w.taps() * w.channels;
  Index image = first / per_image;
  Index oy = first % per_image / width;
  Index ox = first % width;
  for (Index p = 0; p < count; ++p, out += size) {
    copy_window(x + image * image_size(w), w, oy, ox, pad, out);
    if (++ox < width) continue;
    ox = 0;
    if (++oy < w.out_h()) continue;
    oy = 0;
    ++image;
  }
}

// Adds rows of windows back to the pixels of one image; `add` is a kernel: out += x.
template <class R, class Kernel>
void add_windows(const R* rows, const Window& w, Index first, Index count, R* image, Kernel add) {
  const Index line = w.kernel_w * w.channels;
  const Index size = w.kernel_h * line;
  for (Index p = first; p < first + count; ++p, rows += size) {
    const Clip c(w, p / w.out_w(), p % w.out_w());
    const Index run = (c.kx1 - c.kx0) * w.channels;
    for (Index ky = c.ky0; ky < c.ky1; ++ky)
      add(run, rows + ky * line + c.kx0 * w.channels, image + c.offset(w, ky, c.kx0));
  }
}

}  // namespace squall::cpu
