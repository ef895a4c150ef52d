// PoissonNll: counts with a Poisson distribution.
#include "common/criterion_layer.hpp"

namespace squall {

struct PoissonNllOptions {
  bool log_input = true;
  bool full = false;
  double eps = 1e-8;
  Reduction reduction = Reduction::Mean;
  static constexpr auto fields = std::tuple{
      field("log_input", &PoissonNllOptions::log_input, "whether the input is the logarithm of the expected count"),
      field("full", &PoissonNllOptions::full, "whether Stirling's approximation of the constant term is added"),
      field("eps", &PoissonNllOptions::eps, "keeps the logarithm finite where log_input is false"),
      field("reduction", &PoissonNllOptions::reduction, kReductionHelp)};
};

class PoissonNll final : public CriterionLayer<PoissonNll, PoissonNllOptions> {
 public:
  static constexpr std::string_view kType = "PoissonNll";
  static constexpr std::string_view kDoc =
      "e^x - t x of every number x (default) and count t (targets), or x - t ln(x + eps) if x is no logarithm. `full` "
      "adds t ln t - t + ln(2 pi t) / 2 where t > 1.";

  void declare(Declare& d) override { declare_pair(d, options.reduction, false); }
  CriterionSpec criterion() const {
    CriterionSpec spec;
    spec.criterion = Criterion::PoissonNll;
    spec.log_input = options.log_input;
    spec.full = options.full;
    spec.epsilon = options.eps;
    return spec;
  }
};

void register_poisson_nll(Catalog& catalog) { catalog.of<Layer>().add<PoissonNll>(); }

}  // namespace squall
