// Adam by the largest gradient (Kingma, Ba 2015).
#include "rules/adam_options.hpp"

namespace squall {

namespace {

struct AdaMaxOptions : AdamBase {
  AdaMaxOptions() { learning_rate = 0.002; }
  static constexpr auto fields = adam_fields<AdaMaxOptions>();
};

class AdaMax final : public AdamRuleOf<AdaMax, AdaMaxOptions> {
 public:
  static constexpr std::string_view kType = "AdaMax";
  static constexpr std::string_view kDoc = "Adam divided by the largest gradient, forgotten slowly.";
  void update(OptimOps& ops, const UpdateRange& range, const Progress& progress, Index step) const override {
    const double rate = learning_rate(progress) / correction(options.beta1, step);
    ops.update(range, formulas::AdaMax{rate, options.beta1, options.beta2, options.epsilon, options.weight_decay});
  }
};

}  // namespace

void register_ada_max(Catalog& catalog) { catalog.of<UpdateRule>().add<AdaMax>(); }

}  // namespace squall
