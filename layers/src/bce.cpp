// Bce: cross entropy of probabilities and yes/no questions.
#include "common/criterion_layer.hpp"

namespace squall {

struct BceOptions {
  std::vector<double> weight;
  Reduction reduction = Reduction::Mean;
  static constexpr auto fields =
      std::tuple{field("weight", &BceOptions::weight, "w: a factor for each entry of the last axis; none: 1"),
                 field("reduction", &BceOptions::reduction, kReductionHelp)};
};

class Bce final : public CriterionLayer<Bce, BceOptions> {
 public:
  static constexpr std::string_view kType = "Bce";
  static constexpr std::string_view kDoc =
      "-w (t ln x + (1 - t) ln(1 - x)) of every number; x (default) are probabilities, t (targets) too, mostly 0 or 1. "
      "Logarithms are at least -100.";

  void declare(Declare& d) override {
    declare_pair(d, options.reduction, false);
    require_weights(d, "weight", options.weight, slots_[0]);
  }
  CriterionSpec criterion() const {
    CriterionSpec spec;
    spec.criterion = Criterion::Bce;
    spec.weights = options.weight;
    return spec;
  }
};

void register_bce(Catalog& catalog) { catalog.of<Layer>().add<Bce>(); }

}  // namespace squall
