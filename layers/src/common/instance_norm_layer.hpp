// Instance normalisation of images with 1 to 3 axes: every channel of every example alone.
#pragma once

#include "common/running_statistics.hpp"
#include "squall/core/ops/linalg.hpp"

namespace squall {

struct InstanceNormOptions {
  double epsilon = 1e-5;
  std::optional<double> momentum = 0.1;
  bool affine = false, track_running_stats = false, fixed_stats = false;
  static constexpr auto fields = std::tuple{
      field("epsilon", &InstanceNormOptions::epsilon, "added to the variance"),
      field("momentum", &InstanceNormOptions::momentum, "share of the batch in the running statistics"),
      field("affine", &InstanceNormOptions::affine, "whether there are a weight and a bias for each channel"),
      field("track_running_stats", &InstanceNormOptions::track_running_stats,
            "true: evaluation uses running statistics, the means over examples of those in training"),
      field("fixed_stats", &InstanceNormOptions::fixed_stats,
            "true: training uses the running statistics as they are, too; weight and bias go on learning")};
};

template <class D, int kAxes>
class InstanceNormLayer : public LayerOf<D, InstanceNormOptions> {
 public:
  using LayerOf<D, InstanceNormOptions>::options;

  void declare(Declare& d) override {
    require_epsilon(d, options.epsilon);
    require_momentum(d, options.momentum);
    if (!options.momentum) d.fail("option 'momentum' should be a number in [0, 1]");
    x_ = d.input("default", "...");
    require_image(d, x_, kAxes, false);
    y_ = d.output("default", d.like(x_));
    const Index channels = d.features(x_)[-1];
    pixels_ = d.feature_size(x_) / channels;
    norm_.declare(d, "", Shape{channels}, options.affine, options.affine);
    d.backward_reads(x_);
    if (!options.track_running_stats) return;
    states_.declare(d, channels);
    running_ = d.plan<BatchNormPlan>();
    means_ = d.internal("means", d.like(x_, Shape{channels}), {.life = Life::Forward});
    variances_ = d.internal("variances", d.like(x_, Shape{channels}), {.life = Life::Forward});
    row_ = d.internal("row", BufferShape{-1, -1, Shape{channels}}, {.life = Life::Forward});
  }
  void prepare(Prepare& p) const override {
    GroupNormSpec spec;
    spec.examples = p.rows(x_);
    spec.pixels = pixels_;
    spec.channels = spec.groups = p.shape(x_)[-1];
    spec.epsilon = options.epsilon;
    norm_.prepare(p, spec);
    if (!options.track_running_stats) return;
    BatchNormSpec fixed;
    fixed.rows = spec.examples * pixels_;
    fixed.channels = spec.channels;
    fixed.epsilon = options.epsilon;
    fixed.running = Running::Variance;
    p.keep(running_, p.handler().norm().plan(fixed));
  }
  void forward(Forward& f) const override {
    if (!options.track_running_stats) return norm_.forward(f, f[x_], f[y_]);
    if (!alone(f))
      return f[running_].forward(as_rows(f[x_]), norm_.weight(f), norm_.bias(f), f[states_.mean], f[states_.variance],
                                 false, as_rows(f[y_]));
    norm_.forward(f, f[x_], f[y_], as_rows(f[means_]), as_rows(f[variances_]));
    const auto pixels = static_cast<double>(pixels_);
    move(f, as_rows(f[means_]), f[states_.mean], 1.0);
    move(f, as_rows(f[variances_]), f[states_.variance], pixels_ > 1 ? pixels / (pixels - 1) : 1.0);
  }
  void backward(Backward& b) const override {
    if (!options.track_running_stats || alone(b)) return norm_.backward(b, b[x_], b.delta(y_), b.delta(x_));
    b[running_].backward(as_rows(b[x_]), norm_.weight(b), b[states_.mean], b[states_.variance], false,
                         as_rows(b.delta(y_)), as_rows(b.delta(x_)), norm_.weight_gradient(b), norm_.bias_gradient(b));
  }

 private:
  bool alone(const Pass& pass) const { return pass.training() && !options.fixed_stats; }
  // running = (1 - momentum) running + momentum factor mean over examples
  void move(Forward& f, const ConstTensor& each, const Tensor& running, double factor) const {
    const auto examples = static_cast<double>(std::max<Index>(each.shape()[0], 1));
    f.handler().linalg().sum_rows(each, f[row_]);
    f.handler().elementwise().affine(running, 1.0 - *options.momentum, 0.0, running);
    f.handler().elementwise().affine(f[row_], *options.momentum * factor / examples, 0.0, Sink(running, Write::Add));
  }
  In x_;
  Out y_;
  ExampleNorm norm_;
  RunningStates states_;
  PlanSlot<BatchNormPlan> running_;
  Internal means_, variances_, row_;
  Index pixels_ = 1;
};

}  // namespace squall
