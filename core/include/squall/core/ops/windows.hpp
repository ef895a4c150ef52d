// Windows over images: the elementary operations from which reference convolution and pooling are built.
// Images are (N, D, H, W, C); those of a flat window may leave out D.
#pragma once

#include "squall/core/handler.hpp"

namespace squall {

// What a window does along one axis of an image. Dilation 1: its taps are neighbours.
struct Axis {
  Index size = 1, kernel = 1, stride = 1, dilation = 1, before = 0, after = 0;

  Index reach() const { return (kernel - 1) * dilation + 1; }  // from the first to the last tap
  Index padded() const { return size + before + after; }
  Index out() const { return (padded() - reach()) / stride + 1; }
  // Adds the padding that lets a last, incomplete window in (unless it would start in the padding), and says how much.
  Index round_up();
};

// Geometry of a sliding window. Padding may differ on the two sides (TensorFlow's "same").
struct Window {
  Index height = 0, width = 0, channels = 0;  // of one image
  Index kernel_h = 1, kernel_w = 1, stride_h = 1, stride_w = 1;
  Index top = 0, bottom = 0, left = 0, right = 0;
  Index dilation_h = 1, dilation_w = 1;
  Index depth = 1, kernel_d = 1, stride_d = 1, front = 0, back = 0, dilation_d = 1;

  Axis axis(int i) const {  // 0: depth, 1: height, 2: width
    if (i == 0) return {depth, kernel_d, stride_d, dilation_d, front, back};
    if (i == 1) return {height, kernel_h, stride_h, dilation_h, top, bottom};
    return {width, kernel_w, stride_w, dilation_w, left, right};
  }
  void set(int i, const Axis& a);
  Index out_d() const { return axis(0).out(); }
  Index out_h() const { return axis(1).out(); }
  Index out_w() const { return axis(2).out(); }
  Index taps() const { return kernel_d * kernel_h * kernel_w; }
  Index pixels() const { return depth * height * width; }
  Index outputs() const { return out_d() * out_h() * out_w(); }
  bool flat() const { return depth == 1 && kernel_d == 1 && front == 0 && back == 0; }  // images without depth
  bool dilated() const { return dilation_d != 1 || dilation_h != 1 || dilation_w != 1; }
  // Shapes of images, of what comes out with so many channels, of filters over so many channels; D only where it is.
  Shape images(Index count) const;
  Shape maps(Index count, Index maps) const;
  Shape filters(Index count, Index depth_of_one) const;
  // Throws ShapeError when there is no output: kernel larger than the padded image, stride below 1, ...
  void check(std::string_view who) const;
};

class WindowOps : public Facet {
 public:
  // out (N out_d out_h out_w, taps, C): the window's pixels, `pad` outside the image.
  void im2col(const ConstTensor& x, const Window& w, double pad, const Tensor& out);
  // dx (N, D, H, W, C) (=, +=) the sum of what im2col copied from each pixel.
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
