// GradientPenalty: gradients should have a certain length (Gulrajani et al. 2017).
#include "common/declarations.hpp"
#include "squall/core/catalog.hpp"
#include "squall/core/ops/linalg.hpp"

namespace squall {

struct GradientPenaltyOptions {
  double target = 1.0;
  static constexpr auto fields =
      std::tuple{field("target", &GradientPenaltyOptions::target, "the length that is wanted")};
};

class GradientPenalty final : public LayerOf<GradientPenalty, GradientPenaltyOptions> {
 public:
  static constexpr std::string_view kType = "GradientPenalty";
  static constexpr std::string_view kDoc =
      "loss = (|g| - target)^2 of every example, to be fed to a Loss whose importance is the factor of the penalty "
      "(10); |g| is the length of all its features. For WGAN-GP: g are gradients of the critic, wired with "
      "ActivationGradient and TiedDense; one Loss of importance 1 for scores of what is made, one of -1 for real ones.";

  void declare(Declare& d) override {
    g_ = d.input("default", "...");
    loss_ = d.output("loss", d.like(g_, Shape{1}));
    length_ = d.internal("length", d.like(g_, Shape{1}));
    square_ = d.internal("square", d.like(g_), {.life = Life::Forward});
    factor_ = d.internal("factor", d.like(g_), {.life = Life::Backward});
    d.backward_reads(g_);
  }
  void forward(Forward& f) const override {
    ElementwiseOps& each = f.handler().elementwise();
    each.unary(Unary::Square, f[g_], f[square_]);
    f.handler().linalg().sum_columns(rows(f[square_], f[loss_]), vector(f[length_]));
    each.unary(Unary::Sqrt, f[length_], f[length_]);
    each.affine(f[length_], 1.0, -options.target, f[loss_]);
    each.unary(Unary::Square, f[loss_], f[loss_]);
  }
  // 2 (|g| - target) / |g| g dloss; nothing where |g| is 0.
  void backward(Backward& b) const override {
    const Sink dg = b.delta(g_);
    if (!dg) return;
    constexpr double kLeast = 1e-12;
    ElementwiseOps& each = b.handler().elementwise();
    const Tensor dloss = b.delta(loss_), length = b[length_], factor = rows(b[factor_], dloss);
    each.clip(length, kLeast, 1e30, length);
    each.binary(Binary::Divide, dloss, length, Sink(length));
    each.affine(length, -2.0 * options.target, 0.0, length);
    each.affine(dloss, 2.0, 0.0, Sink(length, Write::Add));
    b.handler().linalg().with_column(Binary::Multiply, rows(b[g_], dloss), vector(length), factor);
    each.unary(Unary::Copy, b[factor_], dg);
  }

 private:
  // One row for each example.
  template <class T>
  static T rows(const T& x, const ConstTensor& examples) {
    return x.reshaped(Shape{examples.elements(), x.elements() / std::max<Index>(examples.elements(), 1)});
  }
  static Tensor vector(const Tensor& x) { return x.reshaped(Shape{x.elements()}); }
  In g_;
  Out loss_;
  Internal length_, square_, factor_;
};

void register_gradient_penalty(Catalog& catalog) { catalog.of<Layer>().add<GradientPenalty>(); }

}  // namespace squall
