// Steps in units of the weights (Zeiler 2012).
#include "rules/rule.hpp"

namespace squall {

namespace {

struct AdaDeltaOptions {
  json learning_rate = 1.0;
  double decay = 0.9, epsilon = 1e-6, weight_decay = 0;
  json groups = json::object();
  static constexpr auto fields =
      std::tuple{field("learning_rate", &AdaDeltaOptions::learning_rate, kRateDoc),
                 field("decay", &AdaDeltaOptions::decay, "part of the means of squares that is kept"),
                 field("epsilon", &AdaDeltaOptions::epsilon, "added to both means of squares, below their roots"),
                 field("weight_decay", &AdaDeltaOptions::weight_decay, kDecayDoc),
                 field("groups", &AdaDeltaOptions::groups, kGroupsDoc)};
};

class AdaDelta final : public RuleOf<AdaDelta, AdaDeltaOptions> {
 public:
  static constexpr std::string_view kType = "AdaDelta";
  static constexpr std::string_view kDoc =
      "Gradients scaled by the root mean square of past steps over that of past gradients.";
  void resolve(const Catalog& catalog, std::string_view where, Problems& problems) {
    RuleOf::resolve(catalog, where, problems);
    in_range(where, "decay", options.decay, 0, 1, problems);
    in_range(where, "epsilon", options.epsilon, 0, kAnything, problems);
    in_range(where, "weight_decay", options.weight_decay, 0, kAnything, problems);
  }
  int state_vectors() const override { return 2; }
  void update(OptimOps& ops, const UpdateRange& range, const Progress& progress, Index) const override {
    ops.update(range,
               formulas::AdaDelta{learning_rate(progress), options.decay, options.epsilon, options.weight_decay});
  }
};

}  // namespace

void register_ada_delta(Catalog& catalog) { catalog.of<UpdateRule>().add<AdaDelta>(); }

}  // namespace squall
