// v = momentum v - rate g; p += v
#include "rules/rule.hpp"

namespace squall {

namespace {

class Momentum final : public VelocityRule<Momentum> {
 public:
  static constexpr std::string_view kType = "Momentum";
  static constexpr std::string_view kDoc = "Gradient descent with a velocity: v = momentum * v - rate * g; p += v.";
  void update(OptimOps& ops, const UpdateRange& range, const Progress& progress, Index) const override {
    ops.momentum(range, step_size(progress), momentum(progress));
  }
};

}  // namespace

void register_momentum(Catalog& catalog) {
  catalog.of<UpdateRule>().add<Momentum>();
  catalog.of<UpdateRule>().alias("MomentumStepper", "Momentum");
}

}  // namespace squall
