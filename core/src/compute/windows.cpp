#include "squall/core/ops/windows.hpp"

#include "compute/checks.hpp"
#include "squall/core/ops/elementwise.hpp"

namespace squall {

namespace {

// Number of images of columns (N out_h out_w, taps, C); checks the shape.
Index images_of(std::string_view op, const ConstTensor& images, const ConstTensor& columns, const Window& w) {
  w.check(op);
  const Index pixels = w.height * w.width * w.channels;
  const Index count = pixels == 0 ? (images.shape().rank() > 0 ? images.shape()[0] : 0) : images.elements() / pixels;
  SQUALL_CHECK(checks::fits(images, {count, w.height, w.width, w.channels}), op, ": images ", images.shape(),
               " are not of height ", w.height, ", width ", w.width, ", channels ", w.channels);
  SQUALL_CHECK(checks::fits(columns, {count * w.out_h() * w.out_w(), w.taps(), w.channels}), op, ": columns ",
               columns.shape(), " should be ", Shape{count * w.out_h() * w.out_w(), w.taps(), w.channels});
  return count;
}

// The shapes of max_middle and put_middle.
void middle(std::string_view op, const ConstTensor& x, const ConstTensor& value, const ConstTensor& place) {
  SQUALL_CHECK(x.shape().rank() == 3, op, ": x should have three axes, not ", x.shape());
  const Shape wanted{x.shape()[0], x.shape()[2]};
  SQUALL_CHECK(checks::fits(value, {wanted[0], wanted[1]}), op, ": value of x ", x.shape(), " should be ", wanted,
               ", not ", value.shape());
  SQUALL_CHECK(checks::fits(place, {wanted[0], wanted[1]}), op, ": place of x ", x.shape(), " should be ", wanted,
               ", not ", place.shape());
  checks::type(op, "place", place, DType::I32);
}

}  // namespace

void Window::check(std::string_view who) const {
  SQUALL_CHECK(height >= 0 && width >= 0 && channels >= 0, who, ": image of height ", height, ", width ", width,
               ", channels ", channels, " cannot be");
  SQUALL_CHECK(kernel_h >= 1 && kernel_w >= 1, who, ": kernel ", kernel_h, "x", kernel_w, " should be at least 1x1");
  SQUALL_CHECK(stride_h >= 1 && stride_w >= 1, who, ": stride ", stride_h, "x", stride_w, " should be at least 1x1");
  SQUALL_CHECK(top >= 0 && bottom >= 0 && left >= 0 && right >= 0, who, ": padding (", top, ", ", bottom, ", ", left,
               ", ", right, ") should not be negative");
  SQUALL_CHECK(kernel_h <= height + top + bottom && kernel_w <= width + left + right, who, ": kernel ", kernel_h, "x",
               kernel_w, " is larger than the padded image, ", height + top + bottom, "x", width + left + right);
}

void WindowOps::im2col(const ConstTensor& x, const Window& w, double pad, const Tensor& out) {
  images_of("im2col", x, out, w);
  checks::real(handler(), "im2col", "x", x);
  checks::real(handler(), "im2col", "columns", out);
  if (out.elements() == 0) return;
  if (x.elements() == 0) return handler().elementwise().fill(out, pad);
  do_im2col(x.reshaped({x.elements() / (w.height * w.width * w.channels), w.height, w.width, w.channels}), w, pad, out);
  guard("im2col", out);
}

void WindowOps::col2im(const ConstTensor& columns, const Window& w, const Sink& dx) {
  if (!dx) return;
  images_of("col2im", dx.to, columns, w);
  checks::real(handler(), "col2im", "columns", columns);
  checks::real(handler(), "col2im", "dx", dx.to);
  if (dx.to.elements() == 0) return;
  const Index count = dx.to.elements() / (w.height * w.width * w.channels);
  do_col2im(columns, w, dx.reshaped({count, w.height, w.width, w.channels}));
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
