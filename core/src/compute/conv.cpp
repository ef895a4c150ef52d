#include "squall/core/ops/conv.hpp"

#include "compute/checks.hpp"
#include "compute/weights.hpp"
#include "reference/reference.hpp"

namespace squall {

namespace {

void check_spec(const ConvSpec& s) {
  checks::extent("convolution", "number of images", s.images);
  checks::extent("convolution", "number of filters", s.filters);
  s.window.check("convolution");
  SQUALL_CHECK(s.groups >= 1 && s.filters % s.groups == 0 && s.window.channels % s.groups == 0,
               "convolution: ", s.window.channels, " channels and ", s.filters, " filters cannot be parted into ",
               s.groups, " groups");
  checks::packed("convolution", s.packed, s.filters, s.weights_of_filter());
  checks::pattern("convolution", s.pattern, s.packed, s.filters, s.weights_of_filter());
}

void check_images(std::string_view op, std::string_view what, const ConstTensor& x, const ConvSpec& s, DType t) {
  checks::operand(op, what, x, s.window.images(s.images), t);
}
void check_maps(std::string_view op, std::string_view what, const ConstTensor& y, const ConvSpec& s, DType t) {
  checks::operand(op, what, y, s.window.maps(s.images, s.filters), t);
}
Shape kernel_of(const ConvSpec& s) {
  return checks::weight_shape(s.pattern, s.window.filters(s.filters, s.group_channels()));
}
ConvSpec without_pattern(ConvSpec s) {
  s.pattern = nullptr;
  return s;
}

}  // namespace

void ConvPlan::forward(const ConstTensor& x, const WeightRef& w, const ConstTensor& b, const Tensor& y) {
  const ConvSpec& s = spec_;
  const DType t = y.dtype();
  check_maps("convolution forward", "y", y, s, t);
  check_images("convolution forward", "x", x, s, t);
  checks::weight("convolution forward", s.packed, w, kernel_of(s), t);
  checks::bias("convolution forward", "bias", s.bias, b, s.filters, t);
  if (y.elements() == 0) return;
  do_forward(x, w, b, y);
  guard("convolution forward", y);
}

void ConvPlan::backward(const ConstTensor& x, const WeightRef& w, const ConstTensor& y, const Tensor& dy,
                        const Sink& dx, const Sink& dw, const Sink& db) {
  const ConvSpec& s = spec_;
  const DType t = dy.dtype();
  const Shape kernel = kernel_of(s);
  SQUALL_CHECK(s.packed == nullptr || !dw,
               "convolution backward: a packed weight is for inference, it has no gradient");
  check_maps("convolution backward", "dy", dy, s, t);
  check_maps("convolution backward", "y", y, s, t);
  check_images("convolution backward", "x", x, s, t);
  checks::weight("convolution backward", s.packed, w, kernel, t);
  if (dx) check_images("convolution backward", "dx", dx.to, s, t);
  checks::optional("convolution backward", "dW", dw.to, kernel, t);
  if (db) checks::bias("convolution backward", "dbias", s.bias, db.to, s.filters, t);
  if (!dx && !dw && !db) return;
  do_backward(x, w, y, dy, dx, dw, db);
  guard("convolution backward: dx", dx.to);
  guard("convolution backward: dW", dw.to);
  guard("convolution backward: dbias", db.to);
}

void ConvPlan::input_gradient(const WeightRef& w, const ConstTensor& dy, const Sink& dx) {
  const ConvSpec& s = spec_;
  if (!dx) return;
  check_images("convolution input gradient", "dx", dx.to, s, dx.to.dtype());
  check_maps("convolution input gradient", "dy", dy, s, dx.to.dtype());
  checks::weight("convolution input gradient", s.packed, w, kernel_of(s), dx.to.dtype());
  if (dx.to.elements() == 0) return;
  do_input_gradient(w, dy, dx);
  guard("convolution input gradient", dx.to);
}

void ConvPlan::weight_gradient(const ConstTensor& x, const ConstTensor& dy, const Sink& dw) {
  const ConvSpec& s = spec_;
  if (!dw) return;
  SQUALL_CHECK(s.packed == nullptr,
               "convolution weight gradient: a packed weight is for inference, it has no gradient");
  checks::operand("convolution weight gradient", "dW", dw.to, kernel_of(s), dw.to.dtype());
  check_images("convolution weight gradient", "x", x, s, dw.to.dtype());
  check_maps("convolution weight gradient", "dy", dy, s, dw.to.dtype());
  if (dw.to.elements() == 0) return;
  do_weight_gradient(x, dy, dw);
  guard("convolution weight gradient", dw.to);
}

std::unique_ptr<ConvPlan> ConvOps::plan(const ConvSpec& spec) {
  check_spec(spec);
  const bool nothing = spec.images == 0 || spec.filters == 0 || spec.window.channels == 0 || spec.window.pixels() == 0;
  auto made = nothing ? nullptr : do_plan(spec);
  if (!made && !nothing && spec.pattern != nullptr)
    made = make_spread_conv(handler(), spec, plan(without_pattern(spec)));
  if (!made) return reference(spec);
  made->set_guard(op_guard());
  return made;
}

std::unique_ptr<ConvPlan> ConvOps::reference(const ConvSpec& spec) {
  check_spec(spec);
  auto made = spec.pattern == nullptr ? make_conv_reference(handler(), spec)
                                      : make_spread_conv(handler(), spec, reference(without_pattern(spec)));
  made->set_guard(op_guard());
  return made;
}

}  // namespace squall
