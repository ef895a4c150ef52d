// Nll: log-probabilities of classes.
#include "common/criterion_layer.hpp"

namespace squall {

struct NllOptions {
  std::vector<double> weight;
  int ignore_index = -100;
  Reduction reduction = Reduction::Mean;
  static constexpr auto fields =
      std::tuple{field("weight", &NllOptions::weight, "of classes; none: 1"),
                 field("ignore_index", &NllOptions::ignore_index, "a class number that does not count"),
                 field("reduction", &NllOptions::reduction, kReductionHelp)};
};

class Nll final : public CriterionLayer<Nll, NllOptions> {
 public:
  static constexpr std::string_view kType = "Nll";
  static constexpr std::string_view kDoc =
      "Minus the log-probability (default) of the class number (targets) of each row, times the weight of the class. "
      "The mean is weighted by it, too.";

  void declare(Declare& d) override {
    slots_[0] = d.input("default", "...");
    declare_labels(d);
    require_weights(d, "weight", options.weight, slots_[0]);
    const bool mean = options.reduction == Reduction::Mean;
    finish(d, mean ? Reducer::How::WeightedMean : Reducer::of(options.reduction), one_per_row(d, slots_[0]));
  }
  CriterionSpec criterion() const {
    CriterionSpec spec;
    spec.criterion = Criterion::Nll;
    spec.weights = options.weight;
    spec.ignored = options.ignore_index;
    return spec;
  }
};

void register_nll(Catalog& catalog) { catalog.of<Layer>().add<Nll>(); }

}  // namespace squall
