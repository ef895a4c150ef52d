// What the convolutional layers share: x (T, B, H, W, C) as images (N, H, W, C).
#pragma once

#include "squall/core/contexts.hpp"
#include "squall/core/ops/conv.hpp"

namespace squall {

inline ConvSpec conv_spec(Index images, const Window& window, Index filters, Activation activation, bool bias,
                          const PackedWeight* packed) {
  ConvSpec spec;
  spec.images = images;
  spec.window = window;
  spec.filters = filters;
  spec.activation = activation;
  spec.bias = bias;
  spec.packed = packed;
  return spec;
}

// W (filters, kernel_h, kernel_w, C).
inline Shape filter_shape(const Window& w, Index filters) { return Shape{filters, w.kernel_h, w.kernel_w, w.channels}; }
inline Shape pixels_in(Index images, const Window& w) { return Shape{images, w.height, w.width, w.channels}; }
inline Shape pixels_out(Index images, const Window& w, Index channels) {
  return Shape{images, w.out_h(), w.out_w(), channels};
}

inline void run_forward(ConvPlan& plan, const ConstTensor& x, const WeightRef& w, const ConstTensor& bias,
                        const Tensor& y) {
  const ConvSpec& s = plan.spec();
  plan.forward(x.reshaped(pixels_in(s.images, s.window)), w, bias,
               y.reshaped(pixels_out(s.images, s.window, s.filters)));
}
inline void run_backward(ConvPlan& plan, const ConstTensor& x, const WeightRef& w, const ConstTensor& y,
                         const Tensor& dy, const Sink& dx, const Sink& dw, const Sink& dbias) {
  const ConvSpec& s = plan.spec();
  const Shape in = pixels_in(s.images, s.window);
  const Shape out = pixels_out(s.images, s.window, s.filters);
  plan.backward(x.reshaped(in), w, y.reshaped(out), dy.reshaped(out), dx.reshaped(in), dw, dbias);
}

inline void run_forward(PoolPlan& plan, const ConstTensor& x, const Tensor& y) {
  const PoolSpec& s = plan.spec();
  plan.forward(x.reshaped(pixels_in(s.images, s.window)),
               y.reshaped(pixels_out(s.images, s.window, s.window.channels)));
}
inline void run_backward(PoolPlan& plan, const ConstTensor& dy, const Sink& dx) {
  const PoolSpec& s = plan.spec();
  plan.backward(dy.reshaped(pixels_out(s.images, s.window, s.window.channels)),
                dx.reshaped(pixels_in(s.images, s.window)));
}

}  // namespace squall
