// Gradient descent with falling rates that also averages the weights (Polyak, Juditsky 1992).
#include <cmath>

#include "rules/rule.hpp"

namespace squall {

namespace {

struct AsgdOptions {
  json learning_rate = 0.01;
  double lambda = 1e-4, alpha = 0.75, start = 1e6, weight_decay = 0;
  json groups = json::object();
  static constexpr auto fields =
      std::tuple{field("learning_rate", &AsgdOptions::learning_rate, kRateDoc),
                 field("lambda", &AsgdOptions::lambda, "weights are multiplied by 1 - lambda * rate in each update"),
                 field("alpha", &AsgdOptions::alpha,
                       "the rate after t updates is learning_rate / (1 + lambda * learning_rate * t)^alpha"),
                 field("start", &AsgdOptions::start, "number of updates after which weights are averaged"),
                 field("weight_decay", &AsgdOptions::weight_decay, kDecayDoc),
                 field("groups", &AsgdOptions::groups, kGroupsDoc)};
};

class Asgd final : public RuleOf<Asgd, AsgdOptions> {
 public:
  static constexpr std::string_view kType = "Asgd";
  static constexpr std::string_view kDoc =
      "Averaged gradient descent: the network runs with the last weights, the stepper's state is their average.";
  void resolve(const Catalog& catalog, std::string_view where, Problems& problems) {
    RuleOf::resolve(catalog, where, problems);
    in_range(where, "lambda", options.lambda, 0, kAnything, problems);
    in_range(where, "start", options.start, 0, kAnything, problems);
    in_range(where, "weight_decay", options.weight_decay, 0, kAnything, problems);
  }
  int state_vectors() const override { return 1; }
  void update(OptimOps& ops, const UpdateRange& range, const Progress& progress, Index step) const override {
    const double done = static_cast<double>(step - 1);
    const double lr = learning_rate(progress);
    const double rate = lr / std::pow(1 + options.lambda * lr * done, options.alpha);
    formulas::AveragedDescent f{rate, options.weight_decay, 1 - options.lambda * rate};
    f.share = 1 / std::max(1.0, done - options.start);
    ops.update(range, f);
  }
};

}  // namespace

void register_asgd(Catalog& catalog) { catalog.of<UpdateRule>().add<Asgd>(); }

}  // namespace squall
