// GaussianNll: targets with a normal distribution whose variance is learned, too.
#include "common/criterion_layer.hpp"

namespace squall {

struct GaussianNllOptions {
  bool full = false;
  double eps = 1e-6;
  Reduction reduction = Reduction::Mean;
  static constexpr auto fields =
      std::tuple{field("full", &GaussianNllOptions::full, "whether the constant term is added"),
                 field("eps", &GaussianNllOptions::eps, "the least variance"),
                 field("reduction", &GaussianNllOptions::reduction, kReductionHelp)};
};

class GaussianNll final : public CriterionLayer<GaussianNll, GaussianNllOptions> {
 public:
  static constexpr std::string_view kType = "GaussianNll";
  static constexpr std::string_view kDoc =
      "(ln v + (x - t)^2 / v) / 2 of every number x (default), target t and variance v, which is taken as eps where it "
      "is less. `full` adds ln(2 pi) / 2.";

  void declare(Declare& d) override {
    slots_[0] = d.input("default", "...");
    slots_[1] = d.input("targets", "...");
    slots_[2] = d.input("variance", "...");
    require_equal(d, "default", slots_[0], "targets", slots_[1]);
    require_equal(d, "default", slots_[0], "variance", slots_[2]);
    if (!(options.eps > 0)) d.fail("option 'eps' should be above 0, not ", options.eps);
    finish(d, Reducer::of(options.reduction), d.like(slots_[0]));
  }
  CriterionSpec criterion() const {
    CriterionSpec spec;
    spec.criterion = Criterion::GaussianNll;
    spec.full = options.full;
    spec.epsilon = options.eps;
    return spec;
  }
};

void register_gaussian_nll(Catalog& catalog) { catalog.of<Layer>().add<GaussianNll>(); }

}  // namespace squall
