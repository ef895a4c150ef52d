// BatchNorm: normalises every channel over time, batch and pixels (Ioffe, Szegedy 2015).
#include "squall/core/catalog.hpp"
#include "squall/core/contexts.hpp"
#include "squall/core/ops/norm.hpp"

namespace squall {

struct BatchNormOptions {
  double decay = 0.9, epsilon = 1e-5;
  static constexpr auto fields =
      std::tuple{field("decay", &BatchNormOptions::decay,
                       "share of the old statistics that stays in each training pass, in [0, 1]"),
                 field("epsilon", &BatchNormOptions::epsilon, "added to the variance")};
};

class BatchNorm final : public LayerOf<BatchNorm, BatchNormOptions> {
 public:
  static constexpr std::string_view kType = "BatchNorm";
  static constexpr std::string_view kDoc =
      "y = gamma (x - mean) / deviation + beta for each channel (last axis): statistics of the batch in training, "
      "running "
      "ones otherwise. The states hold the negated mean (mu) and the deviation with epsilon in it (sigma).";

  void declare(Declare& d) override {
    if (!(options.decay >= 0 && options.decay <= 1)) d.fail("option 'decay' should be in [0, 1], not ", options.decay);
    if (!(options.epsilon >= 0)) d.fail("option 'epsilon' should not be negative, but is ", options.epsilon);
    x_ = d.input("default", "...");
    y_ = d.output("default", d.like(x_));
    const Shape channels{d.features(x_)[-1]};
    gamma_ = d.parameter("gamma", channels, {.initial = 1.0});
    beta_ = d.parameter("beta", channels, {.initial = 0.0, .bias = true});
    mu_ = d.state("mu", channels, 0.0);
    sigma_ = d.state("sigma", channels, 1.0);
    plan_ = d.plan<BatchNormPlan>();
    d.backward_reads(x_);
  }
  void prepare(Prepare& p) const override {
    const Shape x = p.shape(x_);
    BatchNormSpec spec;
    spec.rows = x.until(x.rank() - 1).elements();
    spec.channels = x[-1];
    spec.decay = options.decay;
    spec.epsilon = options.epsilon;
    p.keep(plan_, p.handler().norm().plan(spec));
  }
  void forward(Forward& f) const override {
    f[plan_].forward(as_rows(f[x_]), f[gamma_], f[beta_], f[mu_], f[sigma_], f.training(), as_rows(f[y_]));
  }
  void backward(Backward& b) const override {
    b[plan_].backward(as_rows(b[x_]), b[gamma_], b[mu_], b[sigma_], b.training(), as_rows(b.delta(y_)),
                      as_rows(b.delta(x_)), b.gradient(gamma_), b.gradient(beta_));
  }

 private:
  In x_;
  Out y_;
  Param gamma_, beta_;
  State mu_, sigma_;
  PlanSlot<BatchNormPlan> plan_;
};

void register_batch_norm(Catalog& catalog) { catalog.of<Layer>().add<BatchNorm>(); }

}  // namespace squall
