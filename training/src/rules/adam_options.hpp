// What Adam and its relatives have in common.
#pragma once

#include <cmath>

#include "rules/rule.hpp"

namespace squall {

// Members every options struct of the family has; the struct lists them with adam_fields().
struct AdamBase {
  AdamBase() = default;
  json learning_rate = 0.001;
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-7, weight_decay = 0;
  json groups = json::object();
};
template <class O>
constexpr auto adam_fields() {
  return std::tuple{
      field<O, json>("learning_rate", static_cast<json O::*>(&AdamBase::learning_rate), kRateDoc),
      field<O, double>("beta1", static_cast<double O::*>(&AdamBase::beta1), "decay of the mean of gradients"),
      field<O, double>("beta2", static_cast<double O::*>(&AdamBase::beta2), "decay of the mean of squared gradients"),
      field<O, double>("epsilon", static_cast<double O::*>(&AdamBase::epsilon),
                       "added to the root of the mean of squares"),
      field<O, double>("weight_decay", static_cast<double O::*>(&AdamBase::weight_decay), kDecayDoc),
      field<O, json>("groups", static_cast<json O::*>(&AdamBase::groups), kGroupsDoc)};
}

template <class D, class O>
class AdamRuleOf : public RuleOf<D, O> {
 public:
  void resolve(const Catalog& catalog, std::string_view where, Problems& problems) {
    RuleOf<D, O>::resolve(catalog, where, problems);
    const O& o = this->options;
    this->in_range(where, "beta1", o.beta1, 0, 1, problems);
    this->in_range(where, "beta2", o.beta2, 0, 1, problems);
    this->in_range(where, "epsilon", o.epsilon, 0, this->kAnything, problems);
    this->in_range(where, "weight_decay", o.weight_decay, 0, this->kAnything, problems);
  }
  int state_vectors() const override { return 2; }

 protected:
  // 1 - beta^step
  static double correction(double beta, Index step) { return 1 - std::pow(beta, static_cast<double>(step)); }
  // Everything but rates and scales. Decoupled decay multiplies weights by 1 - rate * decay instead of changing
  // gradients.
  formulas::Adam formula(double rate, bool decoupled) const {
    const O& o = this->options;
    formulas::Adam f;
    f.beta1 = o.beta1;
    f.beta2 = o.beta2;
    f.epsilon = o.epsilon;
    f.decay = decoupled ? 0 : o.weight_decay;
    f.shrink = decoupled ? 1 - rate * o.weight_decay : 1;
    return f;
  }
};

}  // namespace squall
