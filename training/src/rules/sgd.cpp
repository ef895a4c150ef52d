// p -= rate g; with momentum and decay as PyTorch has them.
#include "rules/rule.hpp"

namespace squall {

namespace {

struct SgdOptions {
  json learning_rate = 0.1;
  json momentum = 0.0;
  double dampening = 0;
  bool nesterov = false;
  double weight_decay = 0;
  json groups = json::object();
  static constexpr auto fields = std::tuple{
      field("learning_rate", &SgdOptions::learning_rate, kRateDoc),
      field("momentum", &SgdOptions::momentum, "part of the summed up gradients that is kept, a number or a schedule"),
      field("dampening", &SgdOptions::dampening, "part of the gradient that does not enter the sum"),
      field("nesterov", &SgdOptions::nesterov, "step along gradient + momentum * sum"),
      field("weight_decay", &SgdOptions::weight_decay, kDecayDoc),
      field("groups", &SgdOptions::groups, kGroupsDoc)};
};

class Sgd final : public MomentumRuleOf<Sgd, SgdOptions> {
 public:
  static constexpr std::string_view kType = "Sgd";
  static constexpr std::string_view kDoc =
      "Gradient descent: p -= learning_rate * g; with momentum: v = momentum * v + (1 - dampening) * g; p -= "
      "learning_rate * v (the rate is applied after the sum, unlike Momentum).";
  void resolve(const Catalog& catalog, std::string_view where, Problems& problems) {
    MomentumRuleOf::resolve(catalog, where, problems);
    in_range(where, "weight_decay", options.weight_decay, 0, kAnything, problems);
    if (options.nesterov && (!moves() || options.dampening != 0))
      problems.add(where, "option 'nesterov' needs a momentum and no dampening");
  }
  int state_vectors() const override { return moves() ? 1 : 0; }
  void update(OptimOps& ops, const UpdateRange& range, const Progress& progress, Index step) const override {
    const double rate = learning_rate(progress);
    if (!moves()) {
      if (options.weight_decay == 0) return ops.sgd(range, rate);
      return ops.update(range, formulas::DecayedDescent{rate, options.weight_decay});
    }
    formulas::Descent f{rate, momentum(progress), options.weight_decay};
    f.fresh = step == 1 ? 1 : 1 - options.dampening;  // the sum begins with the first gradient
    f.own = options.nesterov ? 1 : 0;
    f.kept = options.nesterov ? f.momentum : 1;
    ops.update(range, f);
  }

 protected:
  bool set_own(std::string_view option, double value) override {
    return (option != "momentum" || moves()) && MomentumRuleOf::set_own(option, value);
  }

 private:
  bool moves() const { return options.momentum.is_object() || options.momentum != 0.0; }  // whether there is a sum
};

}  // namespace

void register_sgd(Catalog& catalog) {
  catalog.of<UpdateRule>().add<Sgd>();
  catalog.of<UpdateRule>().alias("SgdStepper", "Sgd");
}

}  // namespace squall
