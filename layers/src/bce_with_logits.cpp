// BceWithLogits: yes/no questions, from numbers that become probabilities.
#include "common/criterion_layer.hpp"
#include "squall/core/ops/elementwise.hpp"

namespace squall {

struct BceWithLogitsOptions {
  std::vector<double> weight, pos_weight;
  Reduction reduction = Reduction::Mean;
  static constexpr auto fields =
      std::tuple{field("weight", &BceWithLogitsOptions::weight, "w: a factor for each entry of the last axis; none: 1"),
                 field("pos_weight", &BceWithLogitsOptions::pos_weight,
                       "v: a factor of the term of positive targets for each entry of the last axis; none: 1"),
                 field("reduction", &BceWithLogitsOptions::reduction, kReductionHelp)};
};

class BceWithLogits final : public CriterionLayer<BceWithLogits, BceWithLogitsOptions> {
 public:
  static constexpr std::string_view kType = "BceWithLogits";
  static constexpr std::string_view kDoc =
      "predictions = sigmoid(default); loss = -w (v t ln p + (1 - t) ln(1 - p)) of every number, p the prediction, t "
      "the "
      "target; computed without rounding p.";

  void declare(Declare& d) override {
    declare_pair(d, options.reduction, false);
    require_weights(d, "weight", options.weight, slots_[0]);
    require_weights(d, "pos_weight", options.pos_weight, slots_[0]);
    predictions_ = d.output("predictions", d.like(slots_[0]), {.takes_delta = false});
    d.depends(predictions_, {slots_[0]});
    d.depends(reducer_.loss(), {slots_[0], slots_[1]});
  }
  CriterionSpec criterion() const {
    CriterionSpec spec;
    spec.criterion = Criterion::BceWithLogits;
    spec.weights = options.weight;
    spec.positive_weights = options.pos_weight;
    return spec;
  }
  void forward(Forward& f) const override {
    if (f.active(predictions_)) f.handler().elementwise().activate(Activation::Sigmoid, f[slots_[0]], f[predictions_]);
    CriterionLayer::forward(f);
  }

 private:
  Out predictions_;
};

void register_bce_with_logits(Catalog& catalog) { catalog.of<Layer>().add<BceWithLogits>(); }

}  // namespace squall
