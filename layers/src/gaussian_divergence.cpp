// GaussianDivergence: how far normal distributions are from the standard one.
#include "common/declarations.hpp"
#include "squall/core/catalog.hpp"
#include "squall/core/ops/elementwise.hpp"

namespace squall {

class GaussianDivergence final : public LayerOf<GaussianDivergence, NoOptions> {
 public:
  static constexpr std::string_view kType = "GaussianDivergence";
  static constexpr std::string_view kDoc =
      "loss = (mean^2 + exp(log_variance) - log_variance - 1) / 2 of every number, to be fed to a Loss: the "
      "Kullback-Leibler divergence of a normal distribution from the standard one. With Bce (reduction none) for the "
      "reconstruction it is the loss of a variational autoencoder.";

  void declare(Declare& d) override {
    mean_ = d.input("mean", "...");
    log_variance_ = d.input("log_variance", "...");
    require_equal(d, "mean", mean_, "log_variance", log_variance_);
    loss_ = d.output("loss", d.like(mean_));
    scratch_ = d.internal("scratch", d.like(mean_));
    d.backward_reads(mean_, log_variance_);
  }
  void forward(Forward& f) const override {
    ElementwiseOps& each = f.handler().elementwise();
    const Tensor loss = f[loss_], scratch = f[scratch_];
    each.unary(Unary::Square, f[mean_], scratch);
    each.unary(Unary::Exp, f[log_variance_], loss);
    each.binary(Binary::Add, loss, scratch, loss);
    each.binary(Binary::Subtract, loss, f[log_variance_], loss);
    each.affine(loss, 0.5, -0.5, loss);
  }
  void backward(Backward& b) const override {
    ElementwiseOps& each = b.handler().elementwise();
    const Tensor dloss = b.delta(loss_), scratch = b[scratch_];
    each.binary(Binary::Multiply, b[mean_], dloss, b.delta(mean_));
    const Sink dlog_variance = b.delta(log_variance_);
    if (!dlog_variance) return;
    each.unary(Unary::Exp, b[log_variance_], scratch);
    each.affine(scratch, 0.5, -0.5, scratch);
    each.binary(Binary::Multiply, scratch, dloss, dlog_variance);
  }

 private:
  In mean_, log_variance_;
  Out loss_;
  Internal scratch_;
};

void register_gaussian_divergence(Catalog& catalog) { catalog.of<Layer>().add<GaussianDivergence>(); }

}  // namespace squall
