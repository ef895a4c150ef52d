// Windows over images: the elementary operations from which reference convolution and pooling are built.
// Images are (N, H, W, C).
#pragma once

#include "squall/core/handler.hpp"

namespace squall {

// Geometry of a sliding window. Padding may differ on the two sides (TensorFlow's "same").
struct Window {
  Index height = 0, width = 0, channels = 0;  // of one image
  Index kernel_h = 1, kernel_w = 1, stride_h = 1, stride_w = 1;
  Index top = 0, bottom = 0, left = 0, right = 0;

  Index out_h() const { return (height + top + bottom - kernel_h) / stride_h + 1; }
  Index out_w() const { return (width + left + right - kernel_w) / stride_w + 1; }
  Index taps() const { return kernel_h * kernel_w; }
  // Throws ShapeError when there is no output: kernel larger than the padded image, stride below 1, ...
  void check(std::string_view who) const;
};

class WindowOps : public Facet {
 public:
  // out (N out_h out_w, taps, C): the window's pixels, `pad` outside the image.
  void im2col(const ConstTensor& x, const Window& w, double pad, const Tensor& out);
  // dx (N, H, W, C) (=, +=) the sum of what im2col copied from each pixel.
  void col2im(const ConstTensor& columns, const Window& w, const Sink& dx);
  // x (R, K, C) -> largest of K and its place (I32), both (R, C); the first maximum wins.
  void max_middle(const ConstTensor& x, const Tensor& value, const Tensor& place);
  // x (R, K, C) = 0 but value (R, C) at its place; place -1 puts nothing.
  void put_middle(const ConstTensor& value, const ConstTensor& place, const Tensor& x);

 protected:
  virtual void do_im2col(const ConstTensor&, const Window&, double, const Tensor&) = 0;
  virtual void do_col2im(const ConstTensor&, const Window&, const Sink&) = 0;
  virtual void do_max_middle(const ConstTensor&, const Tensor&, const Tensor&) = 0;
  virtual void do_put_middle(const ConstTensor&, const ConstTensor&, const Tensor&) = 0;
};

}  // namespace squall
