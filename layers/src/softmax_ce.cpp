// SoftmaxCE: the criterion of classification into one of several classes.
#include "common/declarations.hpp"
#include "squall/core/catalog.hpp"
#include "squall/core/ops/loss.hpp"

namespace squall {

class SoftmaxCE final : public LayerOf<SoftmaxCE, NoOptions> {
 public:
  static constexpr std::string_view kType = "SoftmaxCE";
  static constexpr std::string_view kDoc =
      "predictions = softmax over the last axis; loss = -ln of the prediction for the target class, one per pixel, to "
      "be "
      "fed to a Loss. Targets are class numbers from 0 on.";

  void declare(Declare& d) override {
    x_ = d.input("default", "...");
    targets_ = d.input("targets", "...", {.dtype = DType::I32, .differentiable = false});
    const BufferShape one = d.like(x_, d.features(x_).with_last(1));
    if (d.shape(targets_) != one)
      d.fail("input 'targets' should be ", one, " (one class number for each row of 'default' ", d.shape(x_),
             "), but is ", d.shape(targets_));
    predictions_ = d.output("predictions", d.like(x_), {.takes_delta = false});
    loss_ = d.output("loss", one);
    plan_ = d.plan<SoftmaxCePlan>();
    d.depends(predictions_, {x_});
    d.depends(loss_, {x_, targets_});
    d.backward_reads(targets_, predictions_);
  }
  void prepare(Prepare& p) const override {
    const Shape x = p.shape(x_);
    SoftmaxCeSpec spec;
    spec.rows = x.until(x.rank() - 1).elements();
    spec.classes = x[-1];
    p.keep(plan_, p.handler().loss().plan(spec));
  }
  void forward(Forward& f) const override {
    const bool wanted = f.active(loss_);
    f[plan_].forward(as_rows(f[x_]), wanted ? f[targets_] : ConstTensor(), as_rows(f[predictions_]),
                     wanted ? f[loss_] : Tensor());
  }
  void backward(Backward& b) const override {
    b[plan_].backward(as_rows(b[predictions_]), b[targets_], b.delta(loss_), as_rows(b.delta(x_)));
  }

 private:
  In x_, targets_;
  Out predictions_, loss_;
  PlanSlot<SoftmaxCePlan> plan_;
};

void register_softmax_ce(Catalog& catalog) { catalog.of<Layer>().add<SoftmaxCE>(); }

}  // namespace squall
