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
  checks::packed("convolution", s.packed, s.filters, s.window.taps() * s.window.channels);
}

void check_images(std::string_view op, std::string_view what, const ConstTensor& x, const ConvSpec& s, DType t) {
  checks::operand(op, what, x, {s.images, s.window.height, s.window.width, s.window.channels}, t);
}
void check_maps(std::string_view op, std::string_view what, const ConstTensor& y, const ConvSpec& s, DType t) {
  checks::operand(op, what, y, {s.images, s.window.out_h(), s.window.out_w(), s.filters}, t);
}

}  // namespace

void ConvPlan::forward(const ConstTensor& x, const WeightRef& w, const ConstTensor& b, const Tensor& y) {
  const ConvSpec& s = spec_;
  const DType t = y.dtype();
  check_maps("convolution forward", "y", y, s, t);
  check_images("convolution forward", "x", x, s, t);
  checks::weight("convolution forward", s.packed, w,
                 {s.filters, s.window.kernel_h, s.window.kernel_w, s.window.channels}, t);
  checks::bias("convolution forward", "bias", s.bias, b, s.filters, t);
  if (y.elements() == 0) return;
  do_forward(x, w, b, y);
  guard("convolution forward", y);
}

void ConvPlan::backward(const ConstTensor& x, const WeightRef& w, const ConstTensor& y, const Tensor& dy,
                        const Sink& dx, const Sink& dw, const Sink& db) {
  const ConvSpec& s = spec_;
  const DType t = dy.dtype();
  const std::initializer_list<Index> kernel{s.filters, s.window.kernel_h, s.window.kernel_w, s.window.channels};
  SQUALL_CHECK(s.packed == nullptr, "convolution backward: a packed weight is for inference, it has no gradient");
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

std::unique_ptr<ConvPlan> ConvOps::plan(const ConvSpec& spec) {
  check_spec(spec);
  const bool nothing = spec.images == 0 || spec.filters == 0 || spec.window.channels == 0 || spec.window.height == 0 ||
                       spec.window.width == 0;
  auto made = nothing ? nullptr : do_plan(spec);
  if (!made) return reference(spec);
  made->set_guard(op_guard());
  return made;
}

std::unique_ptr<ConvPlan> ConvOps::reference(const ConvSpec& spec) {
  check_spec(spec);
  auto made = make_conv_reference(handler(), spec);
  made->set_guard(op_guard());
  return made;
}

}  // namespace squall
