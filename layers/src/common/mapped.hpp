// Layers that are a fixed linear map between pixels.
#pragma once

#include "common/declarations.hpp"
#include "squall/core/catalog.hpp"
#include "squall/core/contexts.hpp"
#include "squall/core/ops/conv.hpp"

namespace squall {

class MappedPath {
 public:
  // `spec` but for the number of images.
  void declare(Declare& d, In x, const Shape& features, PixelMapSpec spec) {
    x_ = x;
    y_ = d.output("default", d.like(x, features));
    spec_ = std::move(spec);
    plan_ = d.plan<PixelMapPlan>();
  }
  void prepare(Prepare& p) const {
    PixelMapSpec spec = spec_;
    spec.images = p.rows(x_);
    p.keep(plan_, p.handler().pool().plan(spec));
  }
  void forward(Forward& f) const {
    PixelMapPlan& plan = f[plan_];
    plan.forward(f[x_].reshaped(in(plan)), f[y_].reshaped(out(plan)));
  }
  void backward(Backward& b) const {
    PixelMapPlan& plan = b[plan_];
    plan.backward(b.delta(y_).reshaped(out(plan)), b.delta(x_).reshaped(in(plan)));
  }

 private:
  static Shape in(const PixelMapPlan& p) { return {p.spec().images, p.spec().inputs, p.spec().channels}; }
  static Shape out(const PixelMapPlan& p) { return {p.spec().images, p.spec().outputs, p.spec().channels}; }
  In x_;
  Out y_;
  PlanSlot<PixelMapPlan> plan_;
  PixelMapSpec spec_;
};

}  // namespace squall
