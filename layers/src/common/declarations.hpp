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

// The window that slides over input `name`, whose features must be (height, width, channels).
Window sliding_window(const Declare& d, std::string_view name, In in, const Pair& kernel, const Pair& stride,
                      const Padding& padding);
// Features of what a window gives: (out_h, out_w, channels).
Shape window_features(const Window& w, Index channels);

// The option `tasks` of multi layers: at least one name, each once, made of letters, digits and _.
void require_tasks(const Declare& d, const std::vector<std::string>& tasks);

}  // namespace squall
