// Walks over the pixels that a window sees, shared by window operations, convolution and pooling.
#pragma once

#include <algorithm>

#include "cpu/parallel.hpp"
#include "squall/core/ops/windows.hpp"

namespace squall::cpu {

// What a window at output `o` sees along one axis: tap k is at start + k dilation, taps first .. end are inside.
struct Taps {
  Index start = 0, first = 0, end = 0;

  Taps() = default;
  Taps(Index size, Index kernel, Index stride, Index dilation, Index before, Index o) : start(o * stride - before) {
    if (dilation == 1) {
      first = std::clamp<Index>(-start, 0, kernel);
      end = std::clamp<Index>(size - start, first, kernel);
    } else {
      first = std::clamp<Index>(ceil_div(-start, dilation), 0, kernel);
      end = std::clamp<Index>(ceil_div(size - start, dilation), first, kernel);
    }
  }
  bool whole(Index kernel) const { return first == 0 && end == kernel; }
  Index count() const { return end - first; }
};
inline Taps depth_taps(const Window& w, Index o) { return {w.depth, w.kernel_d, w.stride_d, w.dilation_d, w.front, o}; }
inline Taps height_taps(const Window& w, Index o) { return {w.height, w.kernel_h, w.stride_h, w.dilation_h, w.top, o}; }
inline Taps width_taps(const Window& w, Index o) { return {w.width, w.kernel_w, w.stride_w, w.dilation_w, w.left, o}; }

inline Index image_size(const Window& w) { return w.pixels() * w.channels; }
inline Index pixels(const Window& w) { return w.outputs(); }

// The window at one output pixel.
struct Place {
  Taps d, h, w;
  Index corner = 0;  // offset in one image of tap (0, 0, 0); may be outside
  bool whole(const Window& s) const { return w.whole(s.kernel_w) && h.whole(s.kernel_h) && d.whole(s.kernel_d); }
  // Offset in one image of the pixel under a tap.
  Index offset(const Window& s, Index kd, Index kh, Index kw) const {
    const Index lines = kd * s.dilation_d * s.height + kh * s.dilation_h;
    return corner + (lines * s.width + kw * s.dilation_w) * s.channels;
  }
};

// Channels of one group of a convolution; all of them without groups.
struct Channels {
  Index first = 0, count = 0;
};

// f(image, place, first output of the line, outputs, number of the first) for each line of output pixels first .. first
// + count, counted over all images; the place lacks the width, its corner is that of the line.
template <class F>
inline void each_line(const Window& w, Index first, Index count, const F& f) {
  const Index width = w.out_w();
  const Index height = w.out_h();
  const Index depth = w.out_d();
  Index line = first / width;
  Index ox = first % width;
  for (Index p = 0; p < count; ++line) {
    Place place;
    place.h = height_taps(w, line % height);
    place.d = depth_taps(w, line / height % depth);
    place.corner = (place.d.start * w.height + place.h.start) * w.width * w.channels;
    const Index many = std::min(width - ox, count - p);
    f(line / (height * depth), place, ox, many, p);
    p += many;
    ox = 0;
  }
}

// f(image, place, number) for the pixels themselves.
template <class F>
inline void each_place(const Window& w, Index first, Index count, const F& f) {
  each_line(w, first, count, [&](Index image, Place place, Index ox, Index many, Index p) {
    const Index corner = place.corner;
    for (Index i = 0; i < many; ++i) {
      place.w = width_taps(w, ox + i);
      place.corner = corner + place.w.start * w.channels;
      f(image, place, p + i);
    }
  });
}

// Short runs are the rule (a row of the kernel times the channels): a loop beats a call of memcpy.
template <class R>
inline void copy_run(const R* from, R* to, Index n) {
  for (Index i = 0; i < n; ++i) to[i] = from[i];
}

// f(offset in the image, offset in the row of taps, elements) for each run of neighbouring elements.
template <class F>
inline void each_run(const Window& w, const Place& p, Channels c, const F& f) {
  const Index line = w.kernel_w * c.count;
  const Index step = w.dilation_h * w.width * w.channels;
  const bool joined = w.dilation_w == 1 && c.count == w.channels;
  for (Index kd = p.d.first; kd < p.d.end; ++kd) {
    Index from = p.offset(w, kd, p.h.first, p.w.first) + c.first;
    Index row = (kd * w.kernel_h + p.h.first) * line + p.w.first * c.count;
    if (joined) {
      const Index run = p.w.count() * c.count;
      for (Index kh = p.h.first; kh < p.h.end; ++kh, from += step, row += line) f(from, row, run);
      continue;
    }
    for (Index kh = p.h.first; kh < p.h.end; ++kh, from += step, row += line)
      for (Index kw = 0; kw < p.w.count(); ++kw) f(from + kw * w.dilation_w * w.channels, row + kw * c.count, c.count);
  }
}

// Rows of `count` windows of one line that lie inside the image, from the corner of the first; all channels, taps of a
// line are neighbours.
template <class R>
inline void copy_whole(const R* from, const Window& w, Index count, R* to) {
  const Index kernel_d = w.kernel_d, kernel_h = w.kernel_h, run = w.kernel_w * w.channels;
  const Index line = w.dilation_h * w.width * w.channels;
  const Index plane = w.dilation_d * w.height * w.width * w.channels;
  const Index step = w.stride_w * w.channels;
  for (Index i = 0; i < count; ++i, from += step) {
    for (Index kd = 0; kd < kernel_d; ++kd) {
      const R* row = from + kd * plane;
      for (Index kh = 0; kh < kernel_h; ++kh, row += line, to += run) copy_run(row, to, run);
    }
  }
}

// Rows of taps (kernel_d kernel_h kernel_w channels elements) for output pixels first .. first + count, counted over
// all images.
template <class R>
void copy_windows(const R* x, const Window& w, Channels c, R pad, Index first, Index count, R* out) {
  const Index size = w.taps() * c.count;
  const bool joined = w.dilation_w == 1 && c.count == w.channels;
  const Index room = w.width + w.left - w.kernel_w;  // the last whole window of a line starts here
  each_line(w, first, count, [&](Index n, Place place, Index ox, Index many, Index p) {
    const R* image = x + n * image_size(w);
    const Index corner = place.corner;
    const auto any = [&](Index o) {
      place.w = width_taps(w, o);
      place.corner = corner + place.w.start * w.channels;
      R* to = out + (p + o - ox) * size;
      if (!place.whole(w)) std::fill_n(to, size, pad);
      each_run(w, place, c, [&](Index from, Index row, Index length) { copy_run(image + from, to + row, length); });
    };
    const bool inside = joined && room >= 0 && place.h.whole(w.kernel_h) && place.d.whole(w.kernel_d);
    const Index begin = inside ? std::clamp(ceil_div(w.left, w.stride_w), ox, ox + many) : ox + many;
    const Index end = inside ? std::clamp(room / w.stride_w + 1, begin, ox + many) : begin;
    for (Index o = ox; o < begin; ++o) any(o);
    copy_whole(image + corner + (begin * w.stride_w - w.left) * w.channels, w, end - begin,
               out + (p + begin - ox) * size);
    for (Index o = end; o < ox + many; ++o) any(o);
  });
}
template <class R>
void copy_windows(const R* x, const Window& w, R pad, Index first, Index count, R* out) {
  copy_windows(x, w, {0, w.channels}, pad, first, count, out);
}

// Adds rows of windows first .. first + count back to the pixels of one image; `add` is a kernel: out += x.
template <class R, class Kernel>
void add_windows(const R* rows, const Window& w, Channels c, Index first, Index count, R* image, Kernel add) {
  const Index size = w.taps() * c.count;
  each_place(w, first, count, [&](Index, const Place& place, Index p) {
    const R* from = rows + p * size;
    each_run(w, place, c, [&](Index in_image, Index in_row, Index run) { add(run, from + in_row, image + in_image); });
  });
}

}  // namespace squall::cpu
