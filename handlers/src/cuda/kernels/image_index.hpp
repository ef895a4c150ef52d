// Places in images (N, D, H, W, C), and walks over a box of them: what windows and pooling share.
#pragma once

#include "squall/core/formulas/portable.hpp"
#include "squall/core/shape.hpp"

namespace squall::cuda::SQUALL_GRID {

struct PixelPlace {
  Index image, d, h, w, channel;
};
// Of element i.
SQUALL_HD inline PixelPlace place_of(Index i, Index depth, Index height, Index width, Index channels) {
  PixelPlace p{};
  p.channel = i % channels;
  i /= channels;
  p.w = i % width;
  i /= width;
  p.h = i % height;
  i /= height;
  p.d = i % depth;
  p.image = i / depth;
  return p;
}

// f(a, b, c) for all of first .. end on three axes, in order.
template <class Range, class F>
SQUALL_HD inline void walk(const Range& d, const Range& h, const Range& w, const F& f) {
  for (Index a = d.first; a < d.end; ++a)
    for (Index b = h.first; b < h.end; ++b)
      for (Index c = w.first; c < w.end; ++c) f(a, b, c);
}

// All taps of a window.
struct AllTaps {
  Index first, end;
};

}  // namespace squall::cuda::SQUALL_GRID
