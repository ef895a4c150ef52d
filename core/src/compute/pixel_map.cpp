#include "squall/core/ops/pixel_map.hpp"

#include "compute/checks.hpp"
#include "reference/reference.hpp"
#include "squall/core/ops/conv.hpp"

namespace squall {

namespace {

void check_spec(const PixelMapSpec& s) {
  for (const Index extent : {s.images, s.inputs, s.outputs, s.channels}) checks::extent("pixel map", "extent", extent);
  SQUALL_CHECK(s.taps >= 1, "pixel map: an output pixel of ", s.taps, " input pixels cannot be");
  const auto entries = static_cast<std::size_t>(s.outputs * s.taps);
  SQUALL_CHECK(s.index.size() == entries, "pixel map: ", s.index.size(), " indices for ", s.outputs, " pixels of ",
               s.taps, " each");
  SQUALL_CHECK(s.weight.empty() || s.weight.size() == entries, "pixel map: ", s.weight.size(), " weights for ",
               s.outputs, " pixels of ", s.taps, " each");
  for (const std::int32_t i : s.index)
    SQUALL_CHECK(i >= 0 && i < s.inputs, "pixel map: pixel ", i, " is not in an image of ", s.inputs);
}

}  // namespace

void PixelMapPlan::forward(const ConstTensor& x, const Tensor& y) {
  const PixelMapSpec& s = spec_;
  checks::operand("pixel map forward", "y", y, {s.images, s.outputs, s.channels}, y.dtype());
  checks::operand("pixel map forward", "x", x, {s.images, s.inputs, s.channels}, y.dtype());
  if (y.elements() == 0) return;
  do_forward(x, y);
  guard("pixel map forward", y);
}

void PixelMapPlan::backward(const ConstTensor& dy, const Sink& dx) {
  const PixelMapSpec& s = spec_;
  if (!dx) return;
  checks::operand("pixel map backward", "dx", dx.to, {s.images, s.inputs, s.channels}, dx.to.dtype());
  checks::operand("pixel map backward", "dy", dy, {s.images, s.outputs, s.channels}, dx.to.dtype());
  if (dx.to.elements() == 0) return;
  do_backward(dy, dx);
  guard("pixel map backward: dx", dx.to);
}

std::unique_ptr<PixelMapPlan> PoolOps::plan(const PixelMapSpec& spec) {
  check_spec(spec);
  auto made = spec.images * spec.outputs * spec.channels == 0 ? nullptr : do_plan(spec);
  if (!made) return reference(spec);
  made->set_guard(op_guard());
  return made;
}

std::unique_ptr<PixelMapPlan> PoolOps::reference(const PixelMapSpec& spec) {
  check_spec(spec);
  auto made = make_pixel_map_reference(handler(), spec);
  made->set_guard(op_guard());
  return made;
}

}  // namespace squall
