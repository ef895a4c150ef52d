#include "squall/core/ops/windows.hpp"

#include "compute/checks.hpp"
#include "squall/core/ops/elementwise.hpp"

namespace squall {

namespace {

// Number of images of columns (N outputs, taps, C); checks the shape.
Index images_of(std::string_view op, const ConstTensor& images, const ConstTensor& columns, const Window& w) {
  w.check(op);
  const Index size = w.pixels() * w.channels;
  const Index count = size == 0 ? (images.shape().rank() > 0 ? images.shape()[0] : 0) : images.elements() / size;
  const std::string deep = w.flat() ? "" : concat("depth ", w.depth, ", ");
  SQUALL_CHECK(checks::fits(images, w.images(count)), op, ": images ", images.shape(), " are not of ", deep, "height ",
               w.height, ", width ", w.width, ", channels ", w.channels);
  const Shape wanted{count * w.outputs(), w.taps(), w.channels};
  SQUALL_CHECK(checks::fits(columns, wanted), op, ": columns ", columns.shape(), " should be ", wanted);
  return count;
}

// The shapes of max_middle and put_middle.
void middle(std::string_view op, const ConstTensor& x, const ConstTensor& value, const ConstTensor& place) {
  SQUALL_CHECK(x.shape().rank() == 3, op, ": x should have three axes, not ", x.shape());
  const Shape wanted{x.shape()[0], x.shape()[2]};
  SQUALL_CHECK(checks::fits(value, wanted), op, ": value of x ", x.shape(), " should be ", wanted, ", not ",
               value.shape());
  SQUALL_CHECK(checks::fits(place, wanted), op, ": place of x ", x.shape(), " should be ", wanted, ", not ",
               place.shape());
  checks::type(op, "place", place, DType::I32);
}

// "3x3", with the depth where there is one; what(axis) gives the numbers.
template <class F>
std::string by_axes(const Window& w, const F& what) {
  std::string text;
  for (int i = w.flat() ? 1 : 0; i < 3; ++i) text += concat(text.empty() ? "" : "x", what(w.axis(i)));
  return text;
}

}  // namespace

Index Axis::round_up() {
  const Index rest = (padded() - reach()) % stride;
  const Index last = padded() - reach() - rest + stride;  // where one more window would start
  if (rest == 0 || last >= before + size) return 0;
  const Index added = stride - rest;
  after += added;
  return added;
}

void Window::set(int i, const Axis& a) {
  (i == 0 ? depth : i == 1 ? height : width) = a.size;
  (i == 0 ? kernel_d : i == 1 ? kernel_h : kernel_w) = a.kernel;
  (i == 0 ? stride_d : i == 1 ? stride_h : stride_w) = a.stride;
  (i == 0 ? dilation_d : i == 1 ? dilation_h : dilation_w) = a.dilation;
  (i == 0 ? front : i == 1 ? top : left) = a.before;
  (i == 0 ? back : i == 1 ? bottom : right) = a.after;
}

Shape Window::images(Index count) const {
  return flat() ? Shape{count, height, width, channels} : Shape{count, depth, height, width, channels};
}
Shape Window::maps(Index count, Index maps) const {
  return flat() ? Shape{count, out_h(), out_w(), maps} : Shape{count, out_d(), out_h(), out_w(), maps};
}
Shape Window::filters(Index count, Index depth_of_one) const {
  return flat() ? Shape{count, kernel_h, kernel_w, depth_of_one}
                : Shape{count, kernel_d, kernel_h, kernel_w, depth_of_one};
}

void Window::check(std::string_view who) const {
  SQUALL_CHECK(depth >= 0 && height >= 0 && width >= 0 && channels >= 0, who, ": image of depth ", depth, ", height ",
               height, ", width ", width, ", channels ", channels, " cannot be");
  bool kernel = true, stride = true, dilation = true, fits = true;
  double taps = 1;
  for (int i = 0; i < 3; ++i) {
    const Axis a = axis(i);
    kernel = kernel && a.kernel >= 1;
    taps *= static_cast<double>(a.kernel);
    stride = stride && a.stride >= 1;
    dilation = dilation && a.dilation >= 1;
    fits = fits && a.reach() <= a.padded();
  }
  const std::string size = by_axes(*this, [](const Axis& a) { return a.kernel; });
  SQUALL_CHECK(kernel, who, ": kernel ", size, " should be at least 1x1");
  constexpr Index kMostTaps = 2147483647;  // places of maxima are numbers of taps
  SQUALL_CHECK(taps <= static_cast<double>(kMostTaps), who, ": kernel ", size, " has more than ", kMostTaps, " taps");
  SQUALL_CHECK(stride, who, ": stride ", by_axes(*this, [](const Axis& a) { return a.stride; }),
               " should be at least 1x1");
  SQUALL_CHECK(dilation, who, ": dilation ", by_axes(*this, [](const Axis& a) { return a.dilation; }),
               " should be at least 1x1");
  SQUALL_CHECK(front >= 0 && back >= 0 && top >= 0 && bottom >= 0 && left >= 0 && right >= 0, who, ": padding (", front,
               ", ", back, ", ", top, ", ", bottom, ", ", left, ", ", right, ") should not be negative");
  SQUALL_CHECK(fits, who, ": kernel ", size,
               dilated() ? concat(" of dilation ", by_axes(*this, [](const Axis& a) { return a.dilation; })) : "",
               " is larger than the padded image, ", by_axes(*this, [](const Axis& a) { return a.padded(); }));
}

void WindowOps::im2col(const ConstTensor& x, const Window& w, double pad, const Tensor& out) {
  const Index count = images_of("im2col", x, out, w);
  checks::real(handler(), "im2col", "x", x);
  checks::real(handler(), "im2col", "columns", out);
  if (out.elements() == 0) return;
  if (x.elements() == 0) return handler().elementwise().fill(out, pad);
  do_im2col(x.reshaped(w.images(count)), w, pad, out);
  guard("im2col", out);
}

void WindowOps::col2im(const ConstTensor& columns, const Window& w, const Sink& dx) {
  if (!dx) return;
  const Index count = images_of("col2im", dx.to, columns, w);
  checks::real(handler(), "col2im", "columns", columns);
  checks::real(handler(), "col2im", "dx", dx.to);
  if (dx.to.elements() == 0) return;
  do_col2im(columns, w, dx.reshaped(w.images(count)));
  guard("col2im", dx.to);
}

void WindowOps::max_middle(const ConstTensor& x, const Tensor& value, const Tensor& place) {
  middle("max_middle", x, value, place);
  checks::real(handler(), "max_middle", "x", x);
  checks::real(handler(), "max_middle", "value", value);
  if (value.elements() == 0) return;
  SQUALL_CHECK(x.shape()[1] > 0, "max_middle: x ", x.shape(), " has nothing to choose from");
  do_max_middle(x, value, place);
  guard("max_middle", value);
}

void WindowOps::put_middle(const ConstTensor& value, const ConstTensor& place, const Tensor& x) {
  middle("put_middle", x, value, place);
  checks::real(handler(), "put_middle", "x", x);
  checks::real(handler(), "put_middle", "value", value);
  if (x.elements() == 0) return;
  do_put_middle(value, place, x);
  guard("put_middle", x);
}

}  // namespace squall
