// What update rules share: options that are numbers or schedules, changed while training goes on, and groups of
// parameters with options of their own.
#pragma once

#include <algorithm>

#include "squall/core/ops/optim.hpp"
#include "squall/training/stepper.hpp"

namespace squall {

// D::Options has `json learning_rate` and `json groups`.
template <class D, class O>
class RuleOf : public DescribedAs<UpdateRule, D, O> {
 public:
  RuleOf() : rate_(this->options.learning_rate.template get<double>()) {}
  void resolve(const Catalog& catalog, std::string_view where, Problems& problems) {
    rate_ = Scheduled::from_json(this->options.learning_rate, concat(where, ".learning_rate"), catalog, problems);
    this->make_groups(this->options.groups, catalog, where, problems);
  }
  double learning_rate(const Progress& progress) const override { return rate_.at(progress); }
  bool elementwise() const override { return true; }

 protected:
  // The learning rate, and every option that is a plain number.
  bool set_own(std::string_view option, double value) override {
    if (option == "learning_rate") {
      rate_ = Scheduled(value);
      return true;
    }
    bool found = false;
    for_each_field<O>([&](const auto& f) {
      auto& member = this->options.*(f.member);
      if constexpr (std::is_same_v<std::remove_reference_t<decltype(member)>, double>) {
        if (f.name != option) return;
        member = value;
        found = true;
      }
    });
    return found;
  }
  // Problems of numbers that should be in [low, high).
  static void in_range(std::string_view where, std::string_view option, double value, double low, double high,
                       Problems& problems) {
    if (value >= low && value < high) return;
    problems.add(where, high > 1e300 ? concat("option '", option, "' should be at least ", low, ", not ", value)
                                     : concat("option '", option, "' should be at least ", low, " and below ", high,
                                              ", not ", value));
  }
  static constexpr double kAnything = 1e308;

 private:
  Scheduled rate_;
};

inline constexpr std::string_view kRateDoc = "step size, a number or a schedule";
inline constexpr std::string_view kDecayDoc = "share of each weight that is added to its gradient";
inline constexpr std::string_view kGroupsDoc =
    "patterns LAYER or LAYER.PARAMETER to options that differ there; the first that matches counts";

struct MomentumOptions {
  json learning_rate = 0.1;
  json momentum = 0.0;
  bool scale_learning_rate = true;
  json groups = json::object();
  static constexpr auto fields = std::tuple{
      field("learning_rate", &MomentumOptions::learning_rate, kRateDoc),
      field("momentum", &MomentumOptions::momentum, "part of the velocity that is kept, a number or a schedule"),
      field("scale_learning_rate", &MomentumOptions::scale_learning_rate, "multiply the learning rate by 1 - momentum"),
      field("groups", &MomentumOptions::groups, kGroupsDoc)};
};

// Rules with a momentum that is a number or a schedule.
template <class D, class O>
class MomentumRuleOf : public RuleOf<D, O> {
 public:
  void resolve(const Catalog& catalog, std::string_view where, Problems& problems) {
    RuleOf<D, O>::resolve(catalog, where, problems);
    momentum_ = Scheduled::from_json(this->options.momentum, concat(where, ".momentum"), catalog, problems);
  }
  double momentum(const Progress& progress) const { return momentum_.at(progress); }

 protected:
  bool set_own(std::string_view option, double value) override {
    if (option != "momentum") return RuleOf<D, O>::set_own(option, value);
    momentum_ = Scheduled(value);
    return true;
  }

 private:
  Scheduled momentum_;
};

// Momentum and Nesterov: the same options and one velocity per weight.
template <class D>
class VelocityRule : public MomentumRuleOf<D, MomentumOptions> {
 public:
  int state_vectors() const override { return 1; }

 protected:
  double step_size(const Progress& progress) const {
    const double rate = this->learning_rate(progress);
    return this->options.scale_learning_rate ? rate * (1 - this->momentum(progress)) : rate;
  }
};

}  // namespace squall
