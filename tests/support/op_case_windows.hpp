// Windows that tests of convolution and pooling run over, and the walk over their pixels.
#pragma once

#include <functional>
#include <vector>

#include "squall/core/ops/windows.hpp"

namespace squall::test {

struct WindowCase {
  const char* what;
  Index images;
  Window window;
};

// height, width, channels, kernel, stride, padding (top, bottom, left, right)
inline const std::vector<WindowCase> kWindowCases{
    {"one pixel", 1, {1, 1, 1}},
    {"1x1 kernel", 3, {5, 7, 4}},
    {"plain 3x3", 2, {8, 8, 3, 3, 3}},
    {"same padding", 2, {7, 9, 5, 3, 3, 1, 1, 1, 1, 1, 1}},
    {"stride 2", 2, {9, 8, 3, 3, 3, 2, 2}},
    {"stride 2x3 uneven padding", 2, {7, 10, 2, 3, 2, 2, 3, 0, 1, 1, 2}},
    {"windows that overlap", 1, {6, 6, 17, 3, 3, 1, 2, 1, 1, 0, 0}},
    {"stride beyond kernel", 2, {9, 9, 1, 2, 2, 4, 3}},
    {"windows in padding alone", 2, {3, 2, 3, 2, 2, 1, 1, 3, 2, 2, 3}},
    {"kernel as large as the image", 5, {4, 3, 2, 4, 3}},
    {"row vector", 1, {1, 31, 3, 1, 5, 1, 1, 0, 0, 2, 2}},
    {"no images", 0, {4, 4, 2, 3, 3}},
    {"no channels", 2, {4, 4, 0, 3, 3}},
    {"prime sizes", 3, {13, 11, 7, 5, 3, 2, 1, 2, 2, 1, 1}},
};

inline const std::vector<WindowCase> kLargeWindowCases{
    {"many channels", 3, {14, 15, 33, 3, 3, 1, 1, 1, 1, 1, 1}},
    {"large images", 2, {67, 61, 9, 3, 3, 2, 2, 1, 1, 1, 1}},
};

// A debug handler has the kernels of its twin, which tries the large windows.
inline std::vector<WindowCase> window_cases(bool debug) {
  std::vector<WindowCase> cases = kWindowCases;
  if (!debug) cases.insert(cases.end(), kLargeWindowCases.begin(), kLargeWindowCases.end());
  return cases;
}

inline Index windows_of(const WindowCase& c) { return c.images * c.window.out_h() * c.window.out_w(); }

// Calls visit(row of the window, tap, first element of the pixel in (N, H, W, C) or -1 in the padding).
inline void for_each_pixel(const WindowCase& c, const std::function<void(Index, Index, Index)>& visit) {
  const Window& w = c.window;
  for (Index row = 0; row < windows_of(c); ++row) {
    const Index n = row / (w.out_h() * w.out_w());
    const Index i = row / w.out_w() % w.out_h();
    const Index j = row % w.out_w();
    for (Index tap = 0; tap < w.taps(); ++tap) {
      const Index y = i * w.stride_h - w.top + tap / w.kernel_w;
      const Index x = j * w.stride_w - w.left + tap % w.kernel_w;
      const bool inside = y >= 0 && y < w.height && x >= 0 && x < w.width;
      visit(row, tap, inside ? ((n * w.height + y) * w.width + x) * w.channels : -1);
    }
  }
}

inline Shape image_shape(const WindowCase& c) { return {c.images, c.window.height, c.window.width, c.window.channels}; }
inline Shape map_shape(const WindowCase& c, Index channels) {
  return {c.images, c.window.out_h(), c.window.out_w(), channels};
}

}  // namespace squall::test
