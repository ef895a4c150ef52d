// MultiMargin: the right class should be ahead of all others.
#include "common/criterion_layer.hpp"

namespace squall {

struct MultiMarginOptions {
  int p = 1;
  double margin = 1.0;
  std::vector<double> weight;
  Reduction reduction = Reduction::Mean;
  static constexpr auto fields = std::tuple{field("p", &MultiMarginOptions::p, "power, 1 or 2"),
                                            field("margin", &MultiMarginOptions::margin, "by how much"),
                                            field("weight", &MultiMarginOptions::weight, "of classes; none: 1"),
                                            field("reduction", &MultiMarginOptions::reduction, kReductionHelp)};
};

class MultiMargin final : public CriterionLayer<MultiMargin, MultiMarginOptions> {
 public:
  static constexpr std::string_view kType = "MultiMargin";
  static constexpr std::string_view kDoc =
      "Of each row x (default) of C classes with class number t (targets): sum over i other than t of max(0, margin - "
      "x_t + x_i)^p, times the weight of t, divided by C.";

  void declare(Declare& d) override {
    slots_[0] = d.input("default", "...");
    declare_labels(d);
    require_weights(d, "weight", options.weight, slots_[0]);
    if (options.p != 1 && options.p != 2) d.fail("option 'p' should be 1 or 2, not ", options.p);
    finish(d, Reducer::of(options.reduction), one_per_row(d, slots_[0]));
  }
  CriterionSpec criterion() const {
    CriterionSpec spec;
    spec.criterion = Criterion::MultiMargin;
    spec.power = options.p;
    spec.margin = options.margin;
    spec.weights = options.weight;
    return spec;
  }
};

void register_multi_margin(Catalog& catalog) { catalog.of<Layer>().add<MultiMargin>(); }

}  // namespace squall
