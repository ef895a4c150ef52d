// Adam with Nesterov's look-ahead (Dozat 2016): the momentum of step t is beta1 (1 - 0.96^(t momentum_decay) / 2).
#include "rules/adam_options.hpp"

namespace squall {

namespace {

struct NAdamOptions : AdamBase {
  NAdamOptions() { learning_rate = 0.002; }
  double momentum_decay = 0.004;
  bool decoupled = false;
  static constexpr auto fields = std::tuple_cat(
      adam_fields<NAdamOptions>(),
      std::tuple{field("momentum_decay", &NAdamOptions::momentum_decay, "how fast the momentum approaches beta1"),
                 field("decoupled", &NAdamOptions::decoupled, "decay multiplies weights and leaves gradients alone")});
};

class NAdam final : public AdamRuleOf<NAdam, NAdamOptions> {
 public:
  static constexpr std::string_view kType = "NAdam";
  static constexpr std::string_view kDoc = "Adam with Nesterov's look-ahead.";
  void update(OptimOps& ops, const UpdateRange& range, const Progress& progress, Index step) const override {
    const double lr = learning_rate(progress);
    const double now = momentum(step), next = momentum(step + 1), product = product_to(step);
    formulas::Adam f = formula(lr, options.decoupled);
    f.gradient_rate = lr * (1 - now) / (1 - product);
    f.rate = lr * next / (1 - product * next);
    f.root_scale = 1 / std::sqrt(correction(options.beta2, step));
    ops.update(range, f);
  }

 private:
  double momentum(Index t) const {
    return options.beta1 * (1 - 0.5 * std::pow(0.96, static_cast<double>(t) * options.momentum_decay));
  }
  // Of all momentums up to this step. Remembered, as it is asked for every piece of every step.
  double product_to(Index step) const {
    if (step < known_step_) known_step_ = 0, known_product_ = 1;
    while (known_step_ < step) known_product_ *= momentum(++known_step_);
    return known_product_;
  }
  mutable Index known_step_ = 0;
  mutable double known_product_ = 1;
};

}  // namespace

void register_n_adam(Catalog& catalog) { catalog.of<UpdateRule>().add<NAdam>(); }

}  // namespace squall
