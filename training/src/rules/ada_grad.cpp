// Gradients divided by the root of the sum of all their squares (Duchi, Hazan, Singer 2011).
#include "rules/rule.hpp"

namespace squall {

namespace {

struct AdaGradOptions {
  json learning_rate = 0.01;
  double learning_rate_decay = 0, epsilon = 1e-7, initial_sum = 0, weight_decay = 0;
  json groups = json::object();
  static constexpr auto fields =
      std::tuple{field("learning_rate", &AdaGradOptions::learning_rate, kRateDoc),
                 field("learning_rate_decay", &AdaGradOptions::learning_rate_decay,
                       "d: the rate of update t is divided by 1 + (t - 1) d"),
                 field("epsilon", &AdaGradOptions::epsilon, "added to the root of the sum of squares"),
                 field("initial_sum", &AdaGradOptions::initial_sum, "where the sum of squares begins"),
                 field("weight_decay", &AdaGradOptions::weight_decay, kDecayDoc),
                 field("groups", &AdaGradOptions::groups, kGroupsDoc)};
};

class AdaGrad final : public RuleOf<AdaGrad, AdaGradOptions> {
 public:
  static constexpr std::string_view kType = "AdaGrad";
  static constexpr std::string_view kDoc = "Gradients divided by the root of the sum of all their squares.";
  void resolve(const Catalog& catalog, std::string_view where, Problems& problems) {
    RuleOf::resolve(catalog, where, problems);
    in_range(where, "learning_rate_decay", options.learning_rate_decay, 0, kAnything, problems);
    in_range(where, "epsilon", options.epsilon, 0, kAnything, problems);
    in_range(where, "initial_sum", options.initial_sum, 0, kAnything, problems);
    in_range(where, "weight_decay", options.weight_decay, 0, kAnything, problems);
  }
  int state_vectors() const override { return 1; }
  double state_initial(int) const override { return options.initial_sum; }
  void update(OptimOps& ops, const UpdateRange& range, const Progress& progress, Index step) const override {
    const double rate = learning_rate(progress) / (1 + static_cast<double>(step - 1) * options.learning_rate_decay);
    ops.update(range, formulas::AdaGrad{rate, options.epsilon, options.weight_decay});
  }
};

}  // namespace

void register_ada_grad(Catalog& catalog) { catalog.of<UpdateRule>().add<AdaGrad>(); }

}  // namespace squall
