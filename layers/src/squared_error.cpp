// SquaredError: the criterion of regression.
#include "common/declarations.hpp"
#include "squall/core/catalog.hpp"
#include "squall/core/ops/elementwise.hpp"

namespace squall {

class SquaredError final : public LayerOf<SquaredError, NoOptions> {
 public:
  static constexpr std::string_view kType = "SquaredError";
  static constexpr std::string_view kDoc =
      "loss = 1/2 (default - targets)^2 for every element, to be fed to a Loss; predictions = default.";

  void declare(Declare& d) override {
    x_ = d.input("default", "...");
    targets_ = d.input("targets", "...", {.differentiable = false});
    require_equal(d, "default", x_, "targets", targets_);
    predictions_ = d.output("predictions", d.like(x_), {.takes_delta = false});
    loss_ = d.output("loss", d.like(x_));
    diff_ = d.internal("diff", d.like(x_));
    d.depends(predictions_, {x_});
    d.depends(loss_, {x_, targets_});
  }
  void forward(Forward& f) const override {
    auto& ops = f.handler().elementwise();
    if (f.active(predictions_)) ops.unary(Unary::Copy, f[x_], f[predictions_]);
    if (!f.active(loss_)) return;
    ops.binary(Binary::Subtract, f[x_], f[targets_], f[diff_]);
    ops.unary(Unary::Square, f[diff_], f[loss_]);
    ops.affine(f[loss_], 0.5, 0.0, f[loss_]);
  }
  void backward(Backward& b) const override {
    b.handler().elementwise().binary(Binary::Multiply, b.delta(loss_), b[diff_], b.delta(x_));
  }

 private:
  In x_, targets_;
  Out predictions_, loss_;
  Internal diff_;
};

void register_squared_error(Catalog& catalog) { catalog.of<Layer>().add<SquaredError>(); }

}  // namespace squall
