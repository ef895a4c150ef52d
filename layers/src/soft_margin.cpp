// SoftMargin: yes/no questions whose targets are 1 and -1.
#include "common/criterion_layer.hpp"

namespace squall {

struct SoftMarginOptions {
  Reduction reduction = Reduction::Mean;
  static constexpr auto fields = std::tuple{field("reduction", &SoftMarginOptions::reduction, kReductionHelp)};
};

class SoftMargin final : public CriterionLayer<SoftMargin, SoftMarginOptions> {
 public:
  static constexpr std::string_view kType = "SoftMargin";
  static constexpr std::string_view kDoc = "ln(1 + e^(-t x)) of every number x (default) and target t, 1 or -1.";

  void declare(Declare& d) override { declare_pair(d, options.reduction, false); }
  CriterionSpec criterion() const {
    CriterionSpec spec;
    spec.criterion = Criterion::SoftMargin;
    return spec;
  }
};

void register_soft_margin(Catalog& catalog) { catalog.of<Layer>().add<SoftMargin>(); }

}  // namespace squall
