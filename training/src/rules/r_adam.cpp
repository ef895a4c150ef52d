// Adam that scales only when the variance of the scale is known well enough (Liu et al. 2020).
#include "rules/adam_options.hpp"

namespace squall {

namespace {

struct RAdamOptions : AdamBase {
  RAdamOptions() = default;
  bool decoupled = false;
  static constexpr auto fields = std::tuple_cat(
      adam_fields<RAdamOptions>(),
      std::tuple{field("decoupled", &RAdamOptions::decoupled, "decay multiplies weights and leaves gradients alone")});
};

class RAdam final : public AdamRuleOf<RAdam, RAdamOptions> {
 public:
  static constexpr std::string_view kType = "RAdam";
  static constexpr std::string_view kDoc = "Adam that begins as plain momentum until its scale can be trusted.";
  void update(OptimOps& ops, const UpdateRange& range, const Progress& progress, Index step) const override {
    const auto t = static_cast<double>(step);
    const double lr = learning_rate(progress);
    const double root = std::sqrt(correction(options.beta2, step));
    const double longest = 2 / (1 - options.beta2) - 1;
    const double length = longest - 2 * t * std::pow(options.beta2, t) / correction(options.beta2, step);
    formulas::Adam f = formula(lr, options.decoupled);
    f.rate = lr / correction(options.beta1, step);
    if (length > 5) {
      f.rate *= root * std::sqrt((length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length));
    } else {
      f.root_scale = 0;
      f.epsilon = 1;
    }
    ops.update(range, f);
  }
};

}  // namespace

void register_r_adam(Catalog& catalog) { catalog.of<UpdateRule>().add<RAdam>(); }

}  // namespace squall
