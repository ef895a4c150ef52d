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

// A window that flat windows cannot be: with depth, dilation.
inline Window deep_window(Index channels, const Axis& depth, const Axis& height, const Axis& width) {
  Window w;
  w.channels = channels;
  w.set(0, depth);
  w.set(1, height);
  w.set(2, width);
  return w;
}

// size, kernel, stride, dilation, before, after of depth, height and width
inline const std::vector<WindowCase> kDeepWindowCases{
    {"dilated", 2, deep_window(3, {}, {9, 3, 1, 2, 0, 0}, {11, 2, 2, 3, 1, 2})},
    {"dilated beyond the image", 2, deep_window(2, {}, {3, 3, 1, 3, 3, 3}, {2, 2, 1, 5, 4, 4})},
    {"depth", 2, deep_window(4, {4, 2, 1, 1, 0, 0}, {5, 3, 1, 1, 1, 1}, {3, 3, 2, 1, 0, 1})},
    {"depth with everything", 3, deep_window(5, {7, 3, 2, 2, 1, 2}, {6, 2, 3, 1, 0, 1}, {5, 3, 1, 2, 2, 2})},
    {"depth alone", 1, deep_window(17, {9, 4, 2, 1, 3, 0}, {}, {})},
    {"one voxel", 2, deep_window(3, {3, 1, 1, 1, 0, 0}, {2, 1, 1, 1, 0, 0}, {4, 1, 1, 1, 0, 0})},
    {"no depth", 1, deep_window(3, {1, 1, 2, 1, 1, 1}, {2, 1, 1, 1, 0, 0}, {4, 1, 1, 1, 0, 0})},
};

inline const std::vector<WindowCase> kLargeWindowCases{
    {"many channels", 3, {14, 15, 33, 3, 3, 1, 1, 1, 1, 1, 1}},
    {"large images", 2, {67, 61, 9, 3, 3, 2, 2, 1, 1, 1, 1}},
};

// A debug handler has the kernels of its twin, which tries the large windows.
inline std::vector<WindowCase> window_cases(bool debug) {
  std::vector<WindowCase> cases = kWindowCases;
  cases.insert(cases.end(), kDeepWindowCases.begin(), kDeepWindowCases.end());
  if (!debug) cases.insert(cases.end(), kLargeWindowCases.begin(), kLargeWindowCases.end());
  return cases;
}

inline Index windows_of(const WindowCase& c) { return c.images * c.window.outputs(); }

// Calls visit(row of the window, tap, first element of the pixel in (N, D, H, W, C) or -1 in the padding).
inline void for_each_pixel(const WindowCase& c, const std::function<void(Index, Index, Index)>& visit) {
  const Window& w = c.window;
  for (Index row = 0; row < windows_of(c); ++row) {
    const Index n = row / w.outputs();
    for (Index tap = 0; tap < w.taps(); ++tap) {
      const Index z = row / (w.out_h() * w.out_w()) % w.out_d() * w.stride_d - w.front +
                      tap / (w.kernel_h * w.kernel_w) * w.dilation_d;
      const Index y = row / w.out_w() % w.out_h() * w.stride_h - w.top + tap / w.kernel_w % w.kernel_h * w.dilation_h;
      const Index x = row % w.out_w() * w.stride_w - w.left + tap % w.kernel_w * w.dilation_w;
      const bool inside = z >= 0 && z < w.depth && y >= 0 && y < w.height && x >= 0 && x < w.width;
      visit(row, tap, inside ? (((n * w.depth + z) * w.height + y) * w.width + x) * w.channels : -1);
    }
  }
}

inline Shape image_shape(const WindowCase& c) { return c.window.images(c.images); }
inline Shape map_shape(const WindowCase& c, Index channels) { return c.window.maps(c.images, channels); }

}  // namespace squall::test
