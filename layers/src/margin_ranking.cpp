// MarginRanking: which of two numbers should be the larger one.
#include "common/criterion_layer.hpp"

namespace squall {

struct MarginRankingOptions {
  double margin = 0.0;
  Reduction reduction = Reduction::Mean;
  static constexpr auto fields = std::tuple{field("margin", &MarginRankingOptions::margin, "by how much"),
                                            field("reduction", &MarginRankingOptions::reduction, kReductionHelp)};
};

class MarginRanking final : public CriterionLayer<MarginRanking, MarginRankingOptions> {
 public:
  static constexpr std::string_view kType = "MarginRanking";
  static constexpr std::string_view kDoc =
      "max(0, margin - t (inputs_1 - inputs_2)) of every pair; the target t is 1 where the first should be larger, "
      "else -1.";

  void declare(Declare& d) override {
    slots_[0] = d.input("inputs_1", "...");
    slots_[1] = d.input("inputs_2", "...");
    slots_[2] = d.input("targets", "...", {.differentiable = false});
    require_equal(d, "inputs_1", slots_[0], "inputs_2", slots_[1]);
    require_equal(d, "inputs_1", slots_[0], "targets", slots_[2]);
    finish(d, Reducer::of(options.reduction), d.like(slots_[0]));
  }
  CriterionSpec criterion() const {
    CriterionSpec spec;
    spec.criterion = Criterion::MarginRanking;
    spec.margin = options.margin;
    return spec;
  }
};

void register_margin_ranking(Catalog& catalog) { catalog.of<Layer>().add<MarginRanking>(); }

}  // namespace squall
