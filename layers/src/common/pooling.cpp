#include "common/pooling.hpp"

namespace squall {

void PoolPath::declare(Declare& d, const std::string& name, const Wanted& wanted) {
  axes_ = static_cast<int>(wanted.how.kernel.size());
  x_ = d.input(name, "...");
  spec_.window = sliding_window(d, name, x_, wanted.how);
  spec_.kind = wanted.kind;
  spec_.count_padding = wanted.count_padding;
  spec_.divisor = wanted.divisor;
  for (int i = 0; i < 3 && wanted.ceil; ++i) {
    Axis a = spec_.window.axis(i);
    spec_.uncounted[static_cast<std::size_t>(i)] = a.round_up();
    spec_.window.set(i, a);
  }
  declare_outputs(d, name, wanted.indices);
}

void PoolPath::declare_adaptive(Declare& d, std::span<const Index> outputs, PoolKind kind, bool indices) {
  axes_ = static_cast<int>(outputs.size());
  x_ = d.input("default", "...");
  spec_.window = image_window(d, "default", x_, axes_);
  spec_.kind = kind;
  spec_.adaptive = {1, 1, 1};
  for (int i = 0; i < axes_; ++i)
    spec_.adaptive[static_cast<std::size_t>(3 - axes_) + static_cast<std::size_t>(i)] =
        outputs[static_cast<std::size_t>(i)];
  declare_outputs(d, "default", indices);
}

void PoolPath::declare_outputs(Declare& d, const std::string& name, bool indices) {
  const Shape features = image_features(axes_, spec_.out(0), spec_.out(1), spec_.out(2), spec_.window.channels);
  y_ = d.output(name, d.like(x_, features));
  indices_ = indices;
  if (indices) {
    index_ = d.output("indices", d.like(x_, features), {.takes_delta = false, .dtype = DType::I32});
    values_ = d.internal("values", d.like(x_, features), {.life = Life::Forward});
  }
  plan_ = d.plan<PoolPlan>();
}

void PoolPath::prepare(Prepare& p) const {
  PoolSpec spec = spec_;
  spec.images = p.rows(x_);
  p.keep(plan_, p.handler().pool().plan(spec));
}

void PoolPath::forward(Forward& f) const {
  PoolPlan& plan = f[plan_];
  const PoolSpec& s = plan.spec();
  const Tensor y = f.active(y_) || !indices_ ? f[y_] : f[values_];
  plan.forward(f[x_].reshaped(s.window.images(s.images)), y.reshaped(s.maps()));
  if (indices_ && f.active(index_)) plan.places(f[index_].reshaped(s.maps()));
}

void PoolPath::backward(Backward& b) const {
  PoolPlan& plan = b[plan_];
  const PoolSpec& s = plan.spec();
  plan.backward(b.delta(y_).reshaped(s.maps()), b.delta(x_).reshaped(s.window.images(s.images)));
}

}  // namespace squall
