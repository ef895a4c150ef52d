#include "squall/core/contexts.hpp"
#include "squall/core/ops/linalg.hpp"
#include "squall/testing/layer_case.hpp"

namespace squall::testing {

class WeightedSum final : public LayerOf<WeightedSum, NoOptions> {
 public:
  static constexpr std::string_view kType = "WeightedSum";
  static constexpr std::string_view kDoc = "loss = sum of default times weights; for tests.";

  void declare(Declare& d) override {
    x_ = d.input("default", "...");
    weights_ = d.input("weights", "...", {.differentiable = false});
    BufferShape one;
    one.features = Shape{1};
    loss_ = d.output("loss", one, {.takes_delta = false, .loss = true});
    product_ = d.internal("product", d.like(x_), {.life = Life::Forward});
    d.backward_reads(weights_);
  }
  void forward(Forward& f) const override {
    f.handler().elementwise().binary(Binary::Multiply, f[x_], f[weights_], f[product_]);
    f.handler().linalg().sum_all(f[product_], f[loss_]);
  }
  void backward(Backward& b) const override { b.handler().elementwise().unary(Unary::Copy, b[weights_], b.delta(x_)); }

 private:
  In x_, weights_;
  Out loss_;
  Internal product_;
};

void register_weighted_sum(Catalog& catalog) {
  auto& layers = catalog.of<Layer>();
  if (!layers.contains(WeightedSum::kType)) layers.add<WeightedSum>();
}

}  // namespace squall::testing
