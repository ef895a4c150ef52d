// Normalisation of each example alone, as a part of layers: its parameters, its plan and its two passes.
#pragma once

#include "squall/core/catalog.hpp"
#include "squall/core/contexts.hpp"
#include "squall/core/ops/norm.hpp"

namespace squall {

class ExampleNorm {
 public:
  // Parameters `weight` and `bias` of this shape, named with a prefix; `masked` biases are counted among those of the
  // layer (see ParameterOptions::bias).
  void declare(Declare& d, const std::string& prefix, const Shape& shape, bool weight, bool bias, bool counted = true) {
    has_weight_ = weight;
    has_bias_ = bias;
    if (weight) weight_ = d.parameter(prefix + "weight", shape, {.initial = 1.0});
    if (bias) bias_ = d.parameter(prefix + "bias", shape, {.initial = 0.0, .bias = counted});
    plan_ = d.plan<GroupNormPlan>();
  }
  void prepare(Prepare& p, const GroupNormSpec& spec) const { p.keep(plan_, p.handler().norm().plan(spec)); }
  void forward(Forward& f, const ConstTensor& x, const Tensor& y, const Tensor& mean = {},
               const Tensor& variance = {}) const {
    GroupNormPlan& plan = f[plan_];
    const Shape whole = shape_of(plan.spec());
    plan.forward(x.reshaped(whole), flat(has_weight_, f, weight_), flat(has_bias_, f, bias_), y.reshaped(whole), mean,
                 variance);
  }
  void backward(Backward& b, const ConstTensor& x, const ConstTensor& dy, const Sink& dx) const {
    GroupNormPlan& plan = b[plan_];
    const Shape whole = shape_of(plan.spec());
    const auto gradient = [&](bool there, Param param) {
      return there ? b.gradient(param).reshaped(Shape{plan.spec().channels}) : Sink();
    };
    plan.backward(x.reshaped(whole), flat(has_weight_, b, weight_), dy.reshaped(whole), dx.reshaped(whole),
                  gradient(has_weight_, weight_), gradient(has_bias_, bias_));
  }
  ConstTensor weight(const Pass& pass) const { return has_weight_ ? pass[weight_] : ConstTensor(); }
  ConstTensor bias(const Pass& pass) const { return has_bias_ ? pass[bias_] : ConstTensor(); }
  Sink weight_gradient(const Backward& b) const { return has_weight_ ? b.gradient(weight_) : Sink(); }
  Sink bias_gradient(const Backward& b) const { return has_bias_ ? b.gradient(bias_) : Sink(); }

 private:
  static Shape shape_of(const GroupNormSpec& s) { return {s.examples, s.pixels, s.channels}; }
  static ConstTensor flat(bool there, const Pass& pass, Param param) {
    if (!there) return {};
    const ConstTensor t = pass[param];
    return t.reshaped(Shape{t.elements()});
  }
  bool has_weight_ = false, has_bias_ = false;
  Param weight_, bias_;
  PlanSlot<GroupNormPlan> plan_;
};

}  // namespace squall
