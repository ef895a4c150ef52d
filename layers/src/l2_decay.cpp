// L2Decay: half the sum of squares of activations or of a parameter, as something a Loss can take.
#include "common/declarations.hpp"
#include "squall/core/catalog.hpp"
#include "squall/core/ops/linalg.hpp"

namespace squall {

class L2DecayLayer final : public LayerOf<L2DecayLayer, NoOptions> {
 public:
  static constexpr std::string_view kType = "L2Decay";
  static constexpr std::string_view kDoc = "loss = 1/2 sum x^2 over the features of each example; to be fed to a Loss.";

  void declare(Declare& d) override {
    x_ = d.input("default", "...");
    loss_ = d.output("loss", d.like(x_, Shape{1}));
    square_ = d.internal("square", d.like(x_), {.life = Life::Forward});
    lead_ = leading_axes(d.shape(x_));
    d.backward_reads(x_);
  }
  void forward(Forward& f) const override {
    f.handler().elementwise().unary(Unary::Square, f[x_], f[square_]);
    f.handler().linalg().sum_columns(flatten(f[square_], lead_), f[loss_]);
    f.handler().elementwise().affine(f[loss_], 0.5, 0.0, f[loss_]);
  }
  void backward(Backward& b) const override {
    b.handler().linalg().with_column(Binary::Multiply, flatten(b[x_], lead_), b.delta(loss_),
                                     flatten(b.delta(x_), lead_));
  }

 private:
  In x_;
  Out loss_;
  Internal square_;
  int lead_ = 0;
};

void register_l2_decay(Catalog& catalog) { catalog.of<Layer>().add<L2DecayLayer>(); }

}  // namespace squall
