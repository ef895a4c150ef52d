// Steps of declare() that several layers share. Everything that does not fit is told with the layer's name, the
// shapes and the rule.
#pragma once

#include "common/options.hpp"
#include "squall/core/contexts.hpp"
#include "squall/core/ops/windows.hpp"

namespace squall {

// How many of the axes of a buffer are time and batch.
int leading_axes(const BufferShape& shape);

// Both inputs must have the same shape, time and batch included.
void require_equal(const Declare& d, std::string_view a_name, In a, std::string_view b_name, In b);

// What slides over the last axes before the channels.
struct Sliding {
  std::span<const Index> kernel, stride, dilation;  // one for each axis; no dilation: 1
  Padding padding;
};
template <int N>
Sliding sliding(const PerAxis<N>& kernel, const PerAxis<N>& stride, const Padding& padding) {
  return {kernel.values, stride.values, {}, padding};
}
template <int N>
Sliding sliding(const PerAxis<N>& kernel, const PerAxis<N>& stride, const PerAxis<N>& dilation,
                const Padding& padding) {
  return {kernel.values, stride.values, dilation.values, padding};
}

// The window of images without kernel: their features must be (length, channels), (height, width, channels) or (depth,
// height, width, channels) for 1, 2 or 3 axes.
Window image_window(const Declare& d, std::string_view name, In in, int axes);
// The window that slides over such images.
Window sliding_window(const Declare& d, std::string_view name, In in, const Sliding& how);
// Features with other sizes of the axes and other channels, as `in` has them.
Shape image_features(int axes, Index depth, Index height, Index width, Index channels);
// Features of what a window gives: (out..., channels).
Shape window_features(const Window& w, int axes, Index channels);

// The option `tasks` of multi layers: at least one name, each once, made of letters, digits and _.
void require_tasks(const Declare& d, const std::vector<std::string>& tasks);

}  // namespace squall
