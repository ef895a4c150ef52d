// v = momentum v; p += v; then with the gradient taken there: v -= rate g; p -= rate g
#include "rules/rule.hpp"

namespace squall {

namespace {

class Nesterov final : public VelocityRule<Nesterov> {
 public:
  static constexpr std::string_view kType = "Nesterov";
  static constexpr std::string_view kDoc = "Momentum with the gradient taken where the velocity leads.";
  bool moves_before_pass() const override { return true; }
  void before_pass(OptimOps& ops, const UpdateRange& range, const Progress& progress, Index) const override {
    ops.nesterov_ahead(range, momentum(progress));
  }
  void update(OptimOps& ops, const UpdateRange& range, const Progress& progress, Index) const override {
    ops.nesterov_correct(range, step_size(progress));
  }
};

}  // namespace

void register_nesterov(Catalog& catalog) {
  catalog.of<UpdateRule>().add<Nesterov>();
  catalog.of<UpdateRule>().alias("NesterovStepper", "Nesterov");
}

}  // namespace squall
