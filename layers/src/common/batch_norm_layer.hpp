// Batch normalisation of images with 1 to 3 axes as PyTorch has it, with numpy-ml's biased running variance as an
// option.
#pragma once

#include "common/running_statistics.hpp"

namespace squall {

struct BatchNormLayerOptions {
  double epsilon = 1e-5;
  std::optional<double> momentum = 0.1;
  bool affine = true, track_running_stats = true, fixed_stats = false, unbiased = true;
  static constexpr auto fields = std::tuple{
      field("epsilon", &BatchNormLayerOptions::epsilon, "added to the variance"),
      field("momentum", &BatchNormLayerOptions::momentum,
            "share of the batch in the running statistics; null: their mean over all batches"),
      field("affine", &BatchNormLayerOptions::affine, "whether there are a weight and a bias for each channel"),
      field("track_running_stats", &BatchNormLayerOptions::track_running_stats,
            "false: there are no running statistics, those of the batch are used in evaluation, too"),
      field("fixed_stats", &BatchNormLayerOptions::fixed_stats,
            "true: training uses the running statistics as they are, too; weight and bias go on learning"),
      field("unbiased", &BatchNormLayerOptions::unbiased,
            "whether the running variance divides by n - 1 (PyTorch) or by n (numpy-ml)")};
};

template <class D, int kAxes>
class BatchNormLayer : public LayerOf<D, BatchNormLayerOptions> {
 public:
  using LayerOf<D, BatchNormLayerOptions>::options;

  void declare(Declare& d) override {
    require_epsilon(d, options.epsilon);
    require_momentum(d, options.momentum);
    x_ = d.input("default", "...");
    require_image(d, x_, kAxes);
    y_ = d.output("default", d.like(x_));
    const Index channels = d.features(x_)[-1];
    if (options.affine) {
      weight_ = d.parameter("weight", Shape{channels}, {.initial = 1.0});
      bias_ = d.parameter("bias", Shape{channels}, {.initial = 0.0, .bias = true});
    }
    if (options.track_running_stats) states_.declare(d, channels);
    plan_ = d.plan<BatchNormPlan>();
    d.backward_reads(x_);
  }
  void prepare(Prepare& p) const override {
    const Shape x = p.shape(x_);
    BatchNormSpec spec;
    spec.channels = x[-1];
    spec.rows = x.until(x.rank() - 1).elements();
    spec.decay = 1.0 - options.momentum.value_or(0.0);
    spec.epsilon = options.epsilon;
    spec.running = Running::Variance;
    spec.unbiased = options.unbiased;
    spec.cumulative = !options.momentum;
    p.keep(plan_, p.handler().norm().plan(spec));
  }
  void forward(Forward& f) const override {
    const bool kept = options.track_running_stats;
    f[plan_].forward(as_rows(f[x_]), parameter(f, weight_), parameter(f, bias_), kept ? f[states_.mean] : Tensor(),
                     kept ? f[states_.variance] : Tensor(), by_batch(f), as_rows(f[y_]),
                     kept && by_batch(f) ? f[states_.count] : Tensor());
  }
  void backward(Backward& b) const override {
    const bool kept = options.track_running_stats;
    const auto gradient = [&](Param p) { return options.affine ? b.gradient(p) : Sink(); };
    b[plan_].backward(as_rows(b[x_]), parameter(b, weight_), kept ? b[states_.mean] : ConstTensor(),
                      kept ? b[states_.variance] : ConstTensor(), by_batch(b), as_rows(b.delta(y_)),
                      as_rows(b.delta(x_)), gradient(weight_), gradient(bias_));
  }

 private:
  bool by_batch(const Pass& pass) const {
    return !options.track_running_stats || (pass.training() && !options.fixed_stats);
  }
  ConstTensor parameter(const Pass& pass, Param p) const { return options.affine ? pass[p] : ConstTensor(); }
  In x_;
  Out y_;
  Param weight_, bias_;
  RunningStates states_;
  PlanSlot<BatchNormPlan> plan_;
};

}  // namespace squall
