#include <array>

#include "compute/checks.hpp"
#include "reference/reference.hpp"
#include "squall/core/ops/conv.hpp"

namespace squall {

namespace {

void check_spec(const PoolSpec& s) {
  checks::extent("pooling", "number of images", s.images);
  s.window.check("pooling");
}

void check_images(std::string_view op, std::string_view what, const ConstTensor& x, const PoolSpec& s, DType t) {
  checks::operand(op, what, x, {s.images, s.window.height, s.window.width, s.window.channels}, t);
}
void check_maps(std::string_view op, std::string_view what, const ConstTensor& y, const PoolSpec& s, DType t) {
  checks::operand(op, what, y, {s.images, s.window.out_h(), s.window.out_w(), s.window.channels}, t);
}

}  // namespace

std::span<const EnumName<PoolKind>> enum_names(PoolKind) {
  static constexpr std::array<EnumName<PoolKind>, 2> kNames{{{"max", PoolKind::Max}, {"avg", PoolKind::Avg}}};
  return kNames;
}

void PoolPlan::forward(const ConstTensor& x, const Tensor& y) {
  check_maps("pooling forward", "y", y, spec_, y.dtype());
  check_images("pooling forward", "x", x, spec_, y.dtype());
  if (y.elements() == 0) return;
  do_forward(x, y);
  guard("pooling forward", y);
}

void PoolPlan::backward(const ConstTensor& dy, const Sink& dx) {
  if (!dx) return;
  check_maps("pooling backward", "dy", dy, spec_, dx.to.dtype());
  check_images("pooling backward", "dx", dx.to, spec_, dx.to.dtype());
  if (dx.to.elements() == 0) return;
  do_backward(dy, dx);
  guard("pooling backward: dx", dx.to);
}

std::unique_ptr<PoolPlan> PoolOps::plan(const PoolSpec& spec) {
  check_spec(spec);
  const bool nothing =
      spec.images == 0 || spec.window.channels == 0 || spec.window.height == 0 || spec.window.width == 0;
  auto made = nothing ? nullptr : do_plan(spec);
  if (!made) return reference(spec);
  made->set_guard(op_guard());
  return made;
}

std::unique_ptr<PoolPlan> PoolOps::reference(const PoolSpec& spec) {
  check_spec(spec);
  auto made = make_pool_reference(handler(), spec);
  made->set_guard(op_guard());
  return made;
}

}  // namespace squall
