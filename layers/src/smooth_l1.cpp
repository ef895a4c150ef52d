// SmoothL1: squared near the target, absolute far from it.
#include "common/criterion_layer.hpp"

namespace squall {

struct SmoothL1Options {
  double beta = 1.0;
  Reduction reduction = Reduction::Mean;
  static constexpr auto fields =
      std::tuple{field("beta", &SmoothL1Options::beta, "where the square becomes a line; 0: L1"),
                 field("reduction", &SmoothL1Options::reduction, kReductionHelp)};
};

class SmoothL1 final : public CriterionLayer<SmoothL1, SmoothL1Options> {
 public:
  static constexpr std::string_view kType = "SmoothL1";
  static constexpr std::string_view kDoc =
      "With d = default - targets of every number: d^2 / (2 beta) where |d| < beta, |d| - beta / 2 elsewhere.";

  void declare(Declare& d) override {
    if (!(options.beta >= 0)) d.fail("option 'beta' should be 0 or more, not ", options.beta);
    declare_pair(d, options.reduction, true);
  }
  CriterionSpec criterion() const {
    CriterionSpec spec;
    spec.criterion = Criterion::SmoothL1;
    spec.scale = options.beta;
    return spec;
  }
};

void register_smooth_l1(Catalog& catalog) { catalog.of<Layer>().add<SmoothL1>(); }

}  // namespace squall
