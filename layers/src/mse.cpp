// Mse: the squared difference as a criterion.
#include "common/criterion_layer.hpp"

namespace squall {

struct MseOptions {
  Reduction reduction = Reduction::Mean;
  static constexpr auto fields = std::tuple{field("reduction", &MseOptions::reduction, kReductionHelp)};
};

class Mse final : public CriterionLayer<Mse, MseOptions> {
 public:
  static constexpr std::string_view kType = "Mse";
  static constexpr std::string_view kDoc = "(default - targets)^2 of every number (SquaredError has half of it).";

  void declare(Declare& d) override { declare_pair(d, options.reduction, true); }
  CriterionSpec criterion() const {
    CriterionSpec spec;
    spec.criterion = Criterion::Mse;
    return spec;
  }
};

void register_mse(Catalog& catalog) { catalog.of<Layer>().add<Mse>(); }

}  // namespace squall
