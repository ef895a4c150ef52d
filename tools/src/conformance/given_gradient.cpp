#include "conformance/given_gradient.hpp"

#include "squall/core/contexts.hpp"
#include "squall/core/ops/linalg.hpp"

namespace squall::conformance {

namespace {

class GivenGradient final : public LayerOf<GivenGradient, NoOptions> {
 public:
  static constexpr std::string_view kType = "GivenGradient";
  static constexpr std::string_view kDoc = "loss = sum of default times gradient";

  void declare(Declare& d) override {
    x_ = d.input("default", "...");
    gradient_ = d.input("gradient", "...", {.differentiable = false});
    BufferShape one;
    one.features = Shape{1};
    loss_ = d.output("loss", one, {.takes_delta = false, .loss = true});
    product_ = d.internal("product", d.like(x_), {.life = Life::Forward});
    d.backward_reads(gradient_);
  }
  void forward(Forward& f) const override {
    f.handler().elementwise().binary(Binary::Multiply, f[x_], f[gradient_], f[product_]);
    f.handler().linalg().sum_all(f[product_], f[loss_]);
  }
  void backward(Backward& b) const override { b.handler().elementwise().unary(Unary::Copy, b[gradient_], b.delta(x_)); }

 private:
  In x_, gradient_;
  Out loss_;
  Internal product_;
};

}  // namespace

void register_given_gradient(Catalog& catalog) { catalog.of<Layer>().add<GivenGradient>(); }

}  // namespace squall::conformance
