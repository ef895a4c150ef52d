// Huber: squared near the target, absolute far from it.
#include "common/criterion_layer.hpp"

namespace squall {

struct HuberOptions {
  double delta = 1.0;
  Reduction reduction = Reduction::Mean;
  static constexpr auto fields = std::tuple{field("delta", &HuberOptions::delta, "where the square becomes a line"),
                                            field("reduction", &HuberOptions::reduction, kReductionHelp)};
};

class Huber final : public CriterionLayer<Huber, HuberOptions> {
 public:
  static constexpr std::string_view kType = "Huber";
  static constexpr std::string_view kDoc =
      "With d = default - targets of every number: d^2 / 2 where |d| <= delta, delta (|d| - delta / 2) elsewhere.";

  void declare(Declare& d) override {
    if (!(options.delta > 0)) d.fail("option 'delta' should be above 0, not ", options.delta);
    declare_pair(d, options.reduction, true);
  }
  CriterionSpec criterion() const {
    CriterionSpec spec;
    spec.criterion = Criterion::Huber;
    spec.scale = options.delta;
    return spec;
  }
};

void register_huber(Catalog& catalog) { catalog.of<Layer>().add<Huber>(); }

}  // namespace squall
