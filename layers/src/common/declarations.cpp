#include "common/declarations.hpp"

#include <algorithm>

namespace squall {

namespace {

// TensorFlow's "same": as many outputs as strides fit, the odd pixel of padding comes after.
void pad_same(Axis& a, bool causal) {
  const Index outputs = (a.size + a.stride - 1) / a.stride;
  const Index total = std::max((outputs - 1) * a.stride + a.reach() - a.size, Index{0});
  a.before = causal ? a.reach() - 1 : total / 2;
  a.after = causal ? 0 : total - total / 2;
}

std::string product(const Window& w, int axes, Index (Axis::*what)() const) {
  std::string text;
  for (int i = 3 - axes; i < 3; ++i) text += concat(text.empty() ? "" : " x ", (w.axis(i).*what)());
  return text;
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

Window image_window(const Declare& d, std::string_view name, In in, int axes) {
  const BufferShape& shape = d.shape(in);
  if (shape.features.rank() != axes + 1)
    d.fail("input '", name, "' should have the features (",
           axes == 1   ? "length, "
           : axes == 2 ? "height, width, "
                       : "depth, height, width, ",
           "channels), but is ", shape);
  Window w;
  w.height = w.width = 1;
  for (int i = 0; i < axes; ++i) {
    Axis a;
    a.size = shape.features[i];
    w.set(3 - axes + i, a);
  }
  w.channels = shape.features[-1];
  return w;
}

Window sliding_window(const Declare& d, std::string_view name, In in, const Sliding& how) {
  const int axes = static_cast<int>(how.kernel.size());
  Window w = image_window(d, name, in, axes);
  for (int i = 0; i < axes; ++i) {
    const auto k = static_cast<std::size_t>(i);
    Axis a = w.axis(3 - axes + i);
    a.kernel = how.kernel[k];
    a.stride = how.stride[k];
    if (!how.dilation.empty()) a.dilation = how.dilation[k];
    a.before = how.padding.before[k];
    a.after = how.padding.after[k];
    const bool causal = how.padding.kind == Padding::Kind::Causal;
    if (causal || how.padding.kind == Padding::Kind::Same) pad_same(a, causal);
    w.set(3 - axes + i, a);
  }
  for (int i = 3 - axes; i < 3; ++i)
    if (w.axis(i).padded() < w.axis(i).reach())
      d.fail("input '", name, "' is ", d.shape(in), ": with its padding it has ", product(w, axes, &Axis::padded),
             " pixels, which is less than the window of ", product(w, axes, &Axis::reach));
  return w;
}

Shape image_features(int axes, Index depth, Index height, Index width, Index channels) {
  if (axes == 1) return Shape{width, channels};
  return axes == 2 ? Shape{height, width, channels} : Shape{depth, height, width, channels};
}
Shape window_features(const Window& w, int axes, Index channels) {
  return image_features(axes, w.out_d(), w.out_h(), w.out_w(), channels);
}

void require_tasks(const Declare& d, const std::vector<std::string>& tasks) {
  if (tasks.empty()) d.fail("option 'tasks' should list the names of its tasks, like [\"digits\", \"fashion\"]");
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    if (!is_name(tasks[i])) d.fail("task '", tasks[i], "' is not a name: letters, digits and _ only");
    if (std::ranges::find(tasks, tasks[i]) - tasks.begin() != static_cast<std::ptrdiff_t>(i))
      d.fail("task '", tasks[i], "' is listed twice");
  }
}

}  // namespace squall
