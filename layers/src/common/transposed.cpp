#include "common/transposed.hpp"

#include "squall/core/ops/linalg.hpp"

namespace squall {

// The axis of the inner convolution, whose outputs are this layer's inputs.
Axis TransposedPath::inner_axis(Declare& d, const Wanted& w, std::size_t i, Index size) const {
  Axis a;
  a.kernel = w.kernel[i];
  a.stride = w.stride[i];
  a.dilation = w.dilation[i];
  a.before = w.padding.before[i];
  a.after = w.padding.after[i];
  const Index extra = w.output_padding[i];
  if (extra >= std::max(a.stride, a.dilation))
    d.fail("option 'output_padding' is ", extra, ", but should be less than the stride, ", a.stride,
           ", or the dilation, ", a.dilation);
  a.size = (size - 1) * a.stride - a.before - a.after + a.reach() + extra;
  if (size < 1 || a.size < 1)
    d.fail("input 'default' is ", d.shape(x_), ": with a padding of ", a.before, " and ", a.after,
           " nothing is left along an axis of ", size);
  if (extra >= a.stride) a.after -= extra;  // else the inner convolution would have more outputs
  if (a.after < 0) d.fail("option 'output_padding' is ", extra, ", more than the stride and the padding allow");
  return a;
}

void TransposedPath::declare(Declare& d, const Wanted& w) {
  const int axes = static_cast<int>(w.kernel.size());
  if (w.padding.kind != Padding::Kind::Pixels && w.padding.kind != Padding::Kind::Valid)
    d.fail("option 'padding' should be numbers of pixels");
  x_ = d.input("default", "...");
  const Window in = image_window(d, "default", x_, axes);
  inputs_ = in.channels;
  groups_ = w.groups;
  activation_ = w.activation;
  has_bias_ = w.bias;
  if (groups_ < 1 || inputs_ % groups_ != 0 || w.filters % groups_ != 0)
    d.fail("option 'groups' is ", groups_, ", but ", inputs_, " channels of the input and ", w.filters,
           " filters should be multiples of it");
  window_ = in;
  window_.channels = w.filters;
  for (int i = 0; i < axes; ++i)
    window_.set(3 - axes + i, inner_axis(d, w, static_cast<std::size_t>(i), in.axis(3 - axes + i).size));
  y_ = d.output("default", d.like(x_, image_features(axes, window_.depth, window_.height, window_.width, w.filters)));
  std::vector<Index> extents{inputs_};
  extents.insert(extents.end(), w.kernel.begin(), w.kernel.end());
  extents.push_back(w.filters / groups_);
  W_ = d.parameter("W", Shape(std::span<const Index>(extents)));
  if (has_bias_) bias_ = d.parameter("bias", Shape{w.filters}, {.bias = true});
  delta_ = d.internal("input_delta", d.like(x_), {.life = Life::Backward});
  plan_ = d.plan<ConvPlan>();
  d.backward_reads(x_, y_);
}

void TransposedPath::prepare(Prepare& p) const {
  ConvSpec spec;
  spec.images = p.rows(x_);
  spec.window = window_;
  spec.filters = inputs_;
  spec.groups = groups_;
  spec.bias = false;
  p.keep(plan_, p.handler().conv().plan(spec));
}

void TransposedPath::forward(Forward& f) const {
  ConvPlan& plan = f[plan_];
  const ConvSpec& s = plan.spec();
  plan.input_gradient(f.weight(W_), f[x_].reshaped(s.window.maps(s.images, inputs_)),
                      f[y_].reshaped(s.window.images(s.images)));
  const Tensor y = f[y_].reshaped({s.images * s.window.pixels(), s.window.channels});
  if (has_bias_) f.handler().linalg().with_row(Binary::Add, y, f[bias_], Sink(y));
  if (activation_ == Activation::Softmax) return f.handler().linalg().softmax(y, y);
  if (activation_ != Activation::Linear) f.handler().elementwise().activate(activation_, y, y);
}

void TransposedPath::backward(Backward& b) const {
  ConvPlan& plan = b[plan_];
  const ConvSpec& s = plan.spec();
  const Shape rows{s.images * s.window.pixels(), s.window.channels};
  const Tensor dy = b.delta(y_).reshaped(rows);
  if (activation_ == Activation::Softmax)
    b.handler().linalg().softmax_back(b[y_].reshaped(rows), dy, Sink(dy));
  else if (activation_ != Activation::Linear)
    b.handler().elementwise().activate_back(activation_, b[y_].reshaped(rows), dy, Sink(dy));
  if (has_bias_) b.handler().linalg().sum_rows(dy, b.gradient(bias_));
  const Tensor images = dy.reshaped(s.window.images(s.images));
  const Shape maps = s.window.maps(s.images, inputs_);
  plan.weight_gradient(images, b[x_].reshaped(maps), b.gradient(W_));
  const Sink dx = b.delta(x_);
  if (!dx) return;
  const Tensor to = dx.mode == Write::Overwrite ? dx.to : b[delta_];
  plan.forward(images, b.weight(W_), {}, to.reshaped(maps));
  if (dx.mode == Write::Add) b.handler().elementwise().unary(Unary::Copy, to, dx);
}

}  // namespace squall
