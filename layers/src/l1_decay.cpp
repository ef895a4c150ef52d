// L1Decay: the sum of magnitudes of activations or of a parameter, as something a Loss can take.
#include "common/declarations.hpp"
#include "squall/core/catalog.hpp"
#include "squall/core/ops/linalg.hpp"

namespace squall {

class L1DecayLayer final : public LayerOf<L1DecayLayer, NoOptions> {
 public:
  static constexpr std::string_view kType = "L1Decay";
  static constexpr std::string_view kDoc = "loss = sum |x| over the features of each example; to be fed to a Loss.";

  void declare(Declare& d) override {
    x_ = d.input("default", "...");
    loss_ = d.output("loss", d.like(x_, Shape{1}));
    magnitude_ = d.internal("magnitude", d.like(x_), {.life = Life::Forward});
    sign_ = d.internal("sign", d.like(x_), {.life = Life::Backward});
    lead_ = leading_axes(d.shape(x_));
    d.backward_reads(x_);
  }
  void forward(Forward& f) const override {
    f.handler().elementwise().unary(Unary::Abs, f[x_], f[magnitude_]);
    f.handler().linalg().sum_columns(flatten(f[magnitude_], lead_), f[loss_]);
  }
  void backward(Backward& b) const override {
    b.handler().elementwise().unary(Unary::Sign, b[x_], b[sign_]);
    b.handler().linalg().with_column(Binary::Multiply, flatten(b[sign_], lead_), b.delta(loss_),
                                     flatten(b.delta(x_), lead_));
  }

 private:
  In x_;
  Out loss_;
  Internal magnitude_, sign_;
  int lead_ = 0;
};

void register_l1_decay(Catalog& catalog) { catalog.of<Layer>().add<L1DecayLayer>(); }

}  // namespace squall
