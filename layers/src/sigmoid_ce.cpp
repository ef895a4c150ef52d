// SigmoidCE: the criterion of independent yes/no questions.
#include "common/declarations.hpp"
#include "squall/core/catalog.hpp"
#include "squall/core/ops/loss.hpp"

namespace squall {

class SigmoidCE final : public LayerOf<SigmoidCE, NoOptions> {
 public:
  static constexpr std::string_view kType = "SigmoidCE";
  static constexpr std::string_view kDoc =
      "predictions = sigmoid(default); loss = -(t ln p + (1 - t) ln(1 - p)) for every element, to be fed to a Loss. "
      "Targets are 0 or 1.";

  void declare(Declare& d) override {
    x_ = d.input("default", "...");
    targets_ = d.input("targets", "...", {.differentiable = false});
    require_equal(d, "default", x_, "targets", targets_);
    predictions_ = d.output("predictions", d.like(x_), {.takes_delta = false});
    loss_ = d.output("loss", d.like(x_));
    d.depends(predictions_, {x_});
    d.depends(loss_, {x_, targets_});
    d.backward_reads(targets_, predictions_);
  }
  void forward(Forward& f) const override {
    const bool wanted = f.active(loss_);
    f.handler().loss().sigmoid_ce(f[x_], wanted ? f[targets_] : ConstTensor(), f[predictions_],
                                  wanted ? f[loss_] : Tensor());
  }
  void backward(Backward& b) const override {
    b.handler().loss().sigmoid_ce_back(b[predictions_], b[targets_], b.delta(loss_), b.delta(x_));
  }

 private:
  In x_, targets_;
  Out predictions_, loss_;
};

void register_sigmoid_ce(Catalog& catalog) { catalog.of<Layer>().add<SigmoidCE>(); }

}  // namespace squall
