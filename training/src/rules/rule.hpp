// What update rules share: a learning rate that is a number or a schedule.
#pragma once

#include "squall/core/ops/optim.hpp"
#include "squall/training/stepper.hpp"

namespace squall {

// D::Options has `json learning_rate`.
template <class D, class O>
class RuleOf : public DescribedAs<UpdateRule, D, O> {
 public:
  RuleOf() : rate_(this->options.learning_rate.template get<double>()) {}
  void resolve(const Catalog& catalog, std::string_view where, Problems& problems) {
    rate_ = Scheduled::from_json(this->options.learning_rate, concat(where, ".learning_rate"), catalog, problems);
  }
  double learning_rate(const Progress& progress) const override { return rate_.at(progress); }
  bool set(std::string_view option, double value) override {
    if (option != "learning_rate") return false;
    rate_ = Scheduled(value);
    return true;
  }

 private:
  Scheduled rate_;
};

struct MomentumOptions {
  json learning_rate = 0.1;
  double momentum = 0.0;
  bool scale_learning_rate = true;
  static constexpr auto fields =
      std::tuple{field("learning_rate", &MomentumOptions::learning_rate, "step size, a number or a schedule"),
                 field("momentum", &MomentumOptions::momentum, "part of the velocity that is kept"),
                 field("scale_learning_rate", &MomentumOptions::scale_learning_rate,
                       "multiply the learning rate by 1 - momentum")};
};

// Momentum and Nesterov: the same options and one velocity per weight.
template <class D>
class VelocityRule : public RuleOf<D, MomentumOptions> {
 public:
  int state_vectors() const override { return 1; }
  bool set(std::string_view option, double value) override {
    if (option != "momentum") return RuleOf<D, MomentumOptions>::set(option, value);
    this->options.momentum = value;
    return true;
  }

 protected:
  double step_size(const Progress& progress) const {
    const double rate = this->learning_rate(progress);
    return this->options.scale_learning_rate ? rate * (1 - this->options.momentum) : rate;
  }
};

}  // namespace squall
