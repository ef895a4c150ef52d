// p -= rate g
#include "rules/rule.hpp"

namespace squall {

namespace {

struct SgdOptions {
  json learning_rate = 0.1;
  static constexpr auto fields =
      std::tuple{field("learning_rate", &SgdOptions::learning_rate, "step size, a number or a schedule")};
};

class Sgd final : public RuleOf<Sgd, SgdOptions> {
 public:
  static constexpr std::string_view kType = "Sgd";
  static constexpr std::string_view kDoc = "Gradient descent: p -= learning_rate * g.";
  int state_vectors() const override { return 0; }
  void update(OptimOps& ops, const UpdateRange& range, const Progress& progress, Index) const override {
    ops.sgd(range, learning_rate(progress));
  }
};

}  // namespace

void register_sgd(Catalog& catalog) {
  catalog.of<UpdateRule>().add<Sgd>();
  catalog.of<UpdateRule>().alias("SgdStepper", "Sgd");
}

}  // namespace squall
