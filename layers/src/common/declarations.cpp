#include "common/declarations.hpp"

#include <algorithm>

namespace squall {

namespace {

struct Sides {
  Index before = 0, after = 0;
};

// TensorFlow's "same": as many outputs as strides fit, the odd pixel of padding comes after.
Sides same_sides(Index extent, Index kernel, Index stride) {
  const Index outputs = (extent + stride - 1) / stride;
  const Index total = std::max((outputs - 1) * stride + kernel - extent, Index{0});
  return {total / 2, total - total / 2};
}

bool is_name(std::string_view s) {
  return !s.empty() && std::ranges::all_of(s, [](char c) {
    return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  });
}

}  // namespace

int leading_axes(const BufferShape& shape) {
  return (shape.scales_with_time() ? 1 : 0) + (shape.scales_with_batch() ? 1 : 0);
}

void require_equal(const Declare& d, std::string_view a_name, In a, std::string_view b_name, In b) {
  if (d.shape(a) != d.shape(b))
    d.fail("inputs '", a_name, "' and '", b_name, "' should have the same shape, but are ", d.shape(a), " and ",
           d.shape(b));
}

Window sliding_window(const Declare& d, std::string_view name, In in, const Pair& kernel, const Pair& stride,
                      const Padding& padding) {
  const BufferShape& shape = d.shape(in);
  if (shape.features.rank() != 3)
    d.fail("input '", name, "' should have the features (height, width, channels), but is ", shape);
  Window w;
  w.height = shape.features[0];
  w.width = shape.features[1];
  w.channels = shape.features[2];
  w.kernel_h = kernel.vertical;
  w.kernel_w = kernel.horizontal;
  w.stride_h = stride.vertical;
  w.stride_w = stride.horizontal;
  if (padding.kind == Padding::Kind::Same) {
    const Sides vertical = same_sides(w.height, w.kernel_h, w.stride_h);
    const Sides horizontal = same_sides(w.width, w.kernel_w, w.stride_w);
    w.top = vertical.before;
    w.bottom = vertical.after;
    w.left = horizontal.before;
    w.right = horizontal.after;
  } else if (padding.kind == Padding::Kind::Pixels) {
    w.top = padding.top;
    w.bottom = padding.bottom;
    w.left = padding.left;
    w.right = padding.right;
  }
  const Index height = w.height + w.top + w.bottom;
  const Index width = w.width + w.left + w.right;
  if (height < w.kernel_h || width < w.kernel_w)
    d.fail("input '", name, "' is ", shape, ": with its padding it has ", height, " x ", width,
           " pixels, which is less than the window of ", w.kernel_h, " x ", w.kernel_w);
  return w;
}

Shape window_features(const Window& w, Index channels) { return Shape{w.out_h(), w.out_w(), channels}; }

void require_tasks(const Declare& d, const std::vector<std::string>& tasks) {
  if (tasks.empty()) d.fail("option 'tasks' should list the names of its tasks, like [\"digits\", \"fashion\"]");
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    if (!is_name(tasks[i])) d.fail("task '", tasks[i], "' is not a name: letters, digits and _ only");
    if (std::ranges::find(tasks, tasks[i]) - tasks.begin() != static_cast<std::ptrdiff_t>(i))
      d.fail("task '", tasks[i], "' is listed twice");
  }
}

}  // namespace squall
