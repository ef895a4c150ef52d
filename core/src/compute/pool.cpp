#include <algorithm>
#include <array>

#include "compute/checks.hpp"
#include "reference/reference.hpp"
#include "squall/core/ops/conv.hpp"

namespace squall {

namespace {

void check_spec(const PoolSpec& s) {
  checks::extent("pooling", "number of images", s.images);
  checks::extent("pooling", "divisor", s.divisor);
  if (!s.is_adaptive()) return s.window.check("pooling");
  for (int i = 0; i < 3; ++i) {
    SQUALL_CHECK(s.adaptive[static_cast<std::size_t>(i)] >= 1, "pooling: an adaptive output of ", s.adaptive[0], " x ",
                 s.adaptive[1], " x ", s.adaptive[2], " cannot be");
    SQUALL_CHECK(s.window.axis(i).size >= 1, "pooling: an image of ", s.window.depth, " x ", s.window.height, " x ",
                 s.window.width, " has nothing to pool");
  }
}

void check_images(std::string_view op, std::string_view what, const ConstTensor& x, const PoolSpec& s, DType t) {
  checks::operand(op, what, x, s.window.images(s.images), t);
}
void check_maps(std::string_view op, std::string_view what, const ConstTensor& y, const PoolSpec& s, DType t) {
  checks::operand(op, what, y, s.maps(), t);
}

PoolTaps adaptive_taps(Index size, Index outputs, Index i) {
  PoolTaps t;
  t.start = i * size / outputs;
  t.end = ((i + 1) * size + outputs - 1) / outputs - t.start;
  t.counted = t.end;
  return t;
}

PoolTaps sliding_taps(const PoolSpec& s, const Axis& a, Index uncounted, Index i) {
  PoolTaps t;
  t.start = i * a.stride - a.before;
  t.step = a.dilation;
  // How many taps lie before this place.
  const auto before = [&](Index place) {
    return std::clamp<Index>((place - t.start + t.step - 1) / t.step, 0, a.kernel);
  };
  t.first = before(0);
  t.end = std::max(t.first, before(a.size));
  t.counted = s.count_padding ? before(a.size + a.after - uncounted) : t.end - t.first;
  return t;
}

}  // namespace

std::span<const EnumName<PoolKind>> enum_names(PoolKind) {
  static constexpr std::array<EnumName<PoolKind>, 2> kNames{{{"max", PoolKind::Max}, {"avg", PoolKind::Avg}}};
  return kNames;
}

Index PoolSpec::out(int axis) const {
  return is_adaptive() ? adaptive[static_cast<std::size_t>(axis)] : window.axis(axis).out();
}
Shape PoolSpec::maps() const {
  if (window.flat() && out(0) == 1) return Shape{images, out(1), out(2), window.channels};
  return Shape{images, out(0), out(1), out(2), window.channels};
}

std::vector<PoolTaps> pool_taps(const PoolSpec& spec, int axis) {
  std::vector<PoolTaps> taps;
  const Axis a = spec.window.axis(axis);
  for (Index i = 0; i < spec.out(axis); ++i)
    taps.push_back(spec.is_adaptive() ? adaptive_taps(a.size, spec.out(axis), i)
                                      : sliding_taps(spec, a, spec.uncounted[static_cast<std::size_t>(axis)], i));
  return taps;
}

Index pool_kernel(const PoolSpec& spec, int axis) {
  if (!spec.is_adaptive()) return spec.window.axis(axis).kernel;
  Index widest = 1;
  for (const PoolTaps& t : pool_taps(spec, axis)) widest = std::max(widest, t.end);
  return widest;
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

void PoolPlan::places(const Tensor& index) {
  SQUALL_CHECK(spec_.kind == PoolKind::Max, "pooling places: only maxima have a place");
  check_maps("pooling places", "index", index, spec_, DType::I32);
  if (index.elements() == 0) return;
  do_places(index);
}

std::unique_ptr<PoolPlan> PoolOps::plan(const PoolSpec& spec) {
  check_spec(spec);
  const bool nothing = spec.images == 0 || spec.window.channels == 0 || spec.window.pixels() == 0;
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
