// BinomialCrossEntropy: cross entropy of probabilities with yes/no targets.
#include "common/declarations.hpp"
#include "squall/core/catalog.hpp"
#include "squall/core/ops/linalg.hpp"

namespace squall {

class BinomialCrossEntropy final : public LayerOf<BinomialCrossEntropy, NoOptions> {
 public:
  static constexpr std::string_view kType = "BinomialCrossEntropy";
  static constexpr std::string_view kDoc =
      "-(t ln y + (1 - t) ln(1 - y)) summed over the features of each example; y ('default') are probabilities, t "
      "('targets') is 0 or 1. Nothing below 1e-6 goes into a logarithm.";

  void declare(Declare& d) override {
    x_ = d.input("default", "...");
    targets_ = d.input("targets", "...", {.differentiable = false});
    require_equal(d, "default", x_, "targets", targets_);
    y_ = d.output("default", d.like(x_, Shape{1}));
    log_yes_ = d.internal("log_yes", d.like(x_), {.life = Life::Forward});
    log_no_ = d.internal("log_no", d.like(x_), {.life = Life::Forward});
    error_ = d.internal("error", d.like(x_), {.life = Life::Backward});
    variance_ = d.internal("variance", d.like(x_), {.life = Life::Backward});
    lead_ = leading_axes(d.shape(x_));
    d.backward_reads(x_, targets_);
  }
  void forward(Forward& f) const override {
    auto& ops = f.handler().elementwise();
    const Tensor yes = f[log_yes_];
    const Tensor no = f[log_no_];
    ops.clip(f[x_], kLeast, 1.0, yes);
    ops.unary(Unary::Log, yes, yes);
    ops.affine(f[x_], -1.0, 1.0, no);
    ops.clip(no, kLeast, 1.0, no);
    ops.unary(Unary::Log, no, no);
    ops.binary(Binary::Subtract, yes, no, yes);  // t (yes - no) + no
    ops.binary(Binary::Multiply, yes, f[targets_], yes);
    ops.binary(Binary::Add, yes, no, yes);
    f.handler().linalg().sum_columns(flatten(yes, lead_), f[y_]);
    ops.unary(Unary::Negate, f[y_], f[y_]);
  }
  void backward(Backward& b) const override {
    auto& ops = b.handler().elementwise();
    const Tensor variance = b[variance_];
    const Tensor error = b[error_];
    ops.unary(Unary::Square, b[x_], variance);
    ops.binary(Binary::Subtract, b[x_], variance, variance);
    ops.clip(variance, kLeast, 1.0, variance);
    ops.binary(Binary::Subtract, b[x_], b[targets_], error);
    ops.binary(Binary::Divide, error, variance, error);
    b.handler().linalg().with_column(Binary::Multiply, flatten(error, lead_), b.delta(y_), flatten(b.delta(x_), lead_));
  }

 private:
  static constexpr double kLeast = 1e-6;
  In x_, targets_;
  Out y_;
  Internal log_yes_, log_no_, error_, variance_;
  int lead_ = 0;
};

void register_binomial_cross_entropy(Catalog& catalog) { catalog.of<Layer>().add<BinomialCrossEntropy>(); }

}  // namespace squall
