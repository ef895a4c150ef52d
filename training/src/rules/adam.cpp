// Adam (Kingma, Ba 2015), with epsilon beside the bias-corrected root as there, or beside the raw one as in Keras.
#include <cmath>

#include "rules/rule.hpp"

namespace squall {

namespace {

enum class EpsilonPlacement : std::uint8_t { After, Before };
std::span<const EnumName<EpsilonPlacement>> enum_names(EpsilonPlacement) {
  static constexpr EnumName<EpsilonPlacement> kNames[] = {{"after", EpsilonPlacement::After},
                                                          {"before", EpsilonPlacement::Before}};
  return kNames;
}

struct AdamOptions {
  json learning_rate = 0.001;
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-7;
  EpsilonPlacement epsilon_placement = EpsilonPlacement::After;
  static constexpr auto fields = std::tuple{
      field("learning_rate", &AdamOptions::learning_rate, "step size, a number or a schedule"),
      field("beta1", &AdamOptions::beta1, "decay of the mean of gradients"),
      field("beta2", &AdamOptions::beta2, "decay of the mean of squared gradients"),
      field("epsilon", &AdamOptions::epsilon, "added to the root of the mean of squares"),
      field("epsilon_placement", &AdamOptions::epsilon_placement,
            "after: epsilon is added after bias correction (the paper, PyTorch); before: before it (Keras)")};
};

class Adam final : public RuleOf<Adam, AdamOptions> {
 public:
  static constexpr std::string_view kType = "Adam";
  static constexpr std::string_view kDoc = "Steps scaled by running means of gradients and of their squares.";
  void resolve(const Catalog& catalog, std::string_view where, Problems& problems) {
    RuleOf::resolve(catalog, where, problems);
    if (options.beta1 < 0 || options.beta1 >= 1 || options.beta2 < 0 || options.beta2 >= 1)
      problems.add(where, "options 'beta1' and 'beta2' should be at least 0 and below 1");
    if (options.epsilon < 0) problems.add(where, "option 'epsilon' should not be negative");
  }
  int state_vectors() const override { return 2; }
  void update(OptimOps& ops, const UpdateRange& range, const Progress& progress, Index step) const override {
    const auto t = static_cast<double>(step);
    const double root = std::sqrt(1 - std::pow(options.beta2, t));
    const double rate = learning_rate(progress) / (1 - std::pow(options.beta1, t));
    const bool after = options.epsilon_placement == EpsilonPlacement::After;
    ops.adam(range, after ? rate : rate * root, options.beta1, options.beta2, options.epsilon, after ? 1 / root : 1.0);
  }
};

}  // namespace

void register_adam(Catalog& catalog) {
  catalog.of<UpdateRule>().add<Adam>();
  catalog.of<UpdateRule>().alias("AdamStepper", "Adam");
}

}  // namespace squall
