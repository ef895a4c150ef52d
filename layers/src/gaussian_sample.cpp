// GaussianSample: numbers with a learned mean and variance, drawn so that both get gradients.
#include "common/declarations.hpp"
#include "squall/core/catalog.hpp"
#include "squall/core/ops/elementwise.hpp"
#include "squall/core/ops/random.hpp"

namespace squall {

class GaussianSample final : public LayerOf<GaussianSample, NoOptions> {
 public:
  static constexpr std::string_view kType = "GaussianSample";
  static constexpr std::string_view kDoc =
      "In training y = mean + exp(log_variance / 2) noise with normal noise drawn anew each time (Kingma, Welling "
      "2014); otherwise y = mean.";

  void declare(Declare& d) override {
    mean_ = d.input("mean", "...");
    log_variance_ = d.input("log_variance", "...");
    require_equal(d, "mean", mean_, "log_variance", log_variance_);
    y_ = d.output("default", d.like(mean_));
    noise_ = d.internal("noise", d.like(mean_), {.life = Life::Forward});
    spread_ = d.internal("spread", d.like(mean_));
  }
  void forward(Forward& f) const override {
    ElementwiseOps& each = f.handler().elementwise();
    each.unary(Unary::Copy, f[mean_], f[y_]);
    if (!f.training()) return;
    if (!f.given(noise_)) f.handler().random().gaussian(f.random(), 0.0, 1.0, f[noise_]);
    each.affine(f[log_variance_], 0.5, 0.0, f[spread_]);
    each.unary(Unary::Exp, f[spread_], f[spread_]);
    each.binary(Binary::Multiply, f[spread_], f[noise_], f[spread_]);
    each.unary(Unary::Copy, f[spread_], Sink(f[y_], Write::Add));
  }
  void backward(Backward& b) const override {
    ElementwiseOps& each = b.handler().elementwise();
    const Tensor dy = b.delta(y_);
    each.unary(Unary::Copy, dy, b.delta(mean_));
    each.binary(Binary::Multiply, dy, b[spread_], dy);
    each.affine(dy, 0.5, 0.0, b.delta(log_variance_));
  }

 private:
  In mean_, log_variance_;
  Out y_;
  Internal noise_, spread_;
};

void register_gaussian_sample(Catalog& catalog) { catalog.of<Layer>().add<GaussianSample>(); }

}  // namespace squall
