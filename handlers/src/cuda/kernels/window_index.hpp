// Where the elements of windows are, for kernels.
#pragma once

#include "cuda/kernels/image_index.hpp"
#include "squall/core/ops/windows.hpp"

namespace squall::cuda::SQUALL_GRID {

struct AxisIndex {
  Index size, kernel, stride, dilation, before, out;
  // The pixel under a tap of the window at an output, -1: outside.
  SQUALL_HD Index pixel(Index output, Index tap) const {
    const Index at = output * stride - before + tap * dilation;
    return at < 0 || at >= size ? -1 : at;
  }
  // The output whose tap lies on a pixel, -1: there is none.
  SQUALL_HD Index output(Index pixel, Index tap) const {
    const Index start = pixel + before - tap * dilation;
    if (start < 0 || start % stride != 0) return -1;
    const Index at = start / stride;
    return at < out ? at : -1;
  }
};
struct ColumnPlace {
  Index image, od, oh, ow, kd, kh, kw, channel;
};
struct WindowIndex {
  AxisIndex axis[3];
  Index channels;

  explicit WindowIndex(const Window& window) : channels(window.channels) {
    for (int i = 0; i < 3; ++i) {
      const Axis a = window.axis(i);
      axis[i] = {a.size, a.kernel, a.stride, a.dilation, a.before, a.out()};
    }
  }
  // Of element i of columns (N out_d out_h out_w, taps, C).
  SQUALL_HD ColumnPlace column(Index i) const {
    ColumnPlace p{};
    p.channel = i % channels;
    i /= channels;
    p.kw = i % axis[2].kernel;
    i /= axis[2].kernel;
    p.kh = i % axis[1].kernel;
    i /= axis[1].kernel;
    p.kd = i % axis[0].kernel;
    i /= axis[0].kernel;
    p.ow = i % axis[2].out;
    i /= axis[2].out;
    p.oh = i % axis[1].out;
    i /= axis[1].out;
    p.od = i % axis[0].out;
    p.image = i / axis[0].out;
    return p;
  }
  SQUALL_HD Index column_offset(Index image, Index od, Index oh, Index ow, Index kd, Index kh, Index kw) const {
    const Index row = ((image * axis[0].out + od) * axis[1].out + oh) * axis[2].out + ow;
    const Index tap = (kd * axis[1].kernel + kh) * axis[2].kernel + kw;
    return (row * (axis[0].kernel * axis[1].kernel * axis[2].kernel) + tap) * channels;
  }
  // Element of the images, -1: outside.
  SQUALL_HD Index pixel(const ColumnPlace& p) const {
    const Index d = axis[0].pixel(p.od, p.kd), h = axis[1].pixel(p.oh, p.kh), w = axis[2].pixel(p.ow, p.kw);
    if (d < 0 || h < 0 || w < 0) return -1;
    return (((p.image * axis[0].size + d) * axis[1].size + h) * axis[2].size + w) * channels + p.channel;
  }
  // Of element i of images (N, D, H, W, C).
  SQUALL_HD PixelPlace place(Index i) const { return place_of(i, axis[0].size, axis[1].size, axis[2].size, channels); }
  SQUALL_HD AllTaps taps(int a) const { return {0, axis[a].kernel}; }
};

}  // namespace squall::cuda::SQUALL_GRID
