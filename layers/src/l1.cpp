// L1: the absolute difference as a criterion.
#include "common/criterion_layer.hpp"

namespace squall {

struct L1Options {
  Reduction reduction = Reduction::Mean;
  static constexpr auto fields = std::tuple{field("reduction", &L1Options::reduction, kReductionHelp)};
};

class L1 final : public CriterionLayer<L1, L1Options> {
 public:
  static constexpr std::string_view kType = "L1";
  static constexpr std::string_view kDoc = "|default - targets| of every number.";

  void declare(Declare& d) override { declare_pair(d, options.reduction, true); }
  CriterionSpec criterion() const {
    CriterionSpec spec;
    spec.criterion = Criterion::L1;
    return spec;
  }
};

void register_l1(Catalog& catalog) { catalog.of<Layer>().add<L1>(); }

}  // namespace squall
