// Adam (Kingma, Ba 2015), with epsilon beside the bias-corrected root as there, or beside the raw one as in Keras; and
// AdamW (Loshchilov, Hutter 2019).
#include "rules/adam_options.hpp"

namespace squall {

namespace {

enum class EpsilonPlacement : std::uint8_t { After, Before };
std::span<const EnumName<EpsilonPlacement>> enum_names(EpsilonPlacement) {
  static constexpr EnumName<EpsilonPlacement> kNames[] = {{"after", EpsilonPlacement::After},
                                                          {"before", EpsilonPlacement::Before}};
  return kNames;
}

struct AdamOptions : AdamBase {
  AdamOptions() = default;
  EpsilonPlacement epsilon_placement = EpsilonPlacement::After;
  bool amsgrad = false;
  static constexpr auto fields = std::tuple_cat(
      adam_fields<AdamOptions>(),
      std::tuple{field("epsilon_placement", &AdamOptions::epsilon_placement,
                       "after: epsilon is added after bias correction (the paper, PyTorch); before: before it (Keras)"),
                 field("amsgrad", &AdamOptions::amsgrad, "divide by the largest mean of squares so far")});
};
struct AdamWOptions : AdamOptions {
  AdamWOptions() { weight_decay = 0.01; }
  static constexpr auto fields = std::tuple_cat(
      adam_fields<AdamWOptions>(),
      std::tuple{field<AdamWOptions, bool>("amsgrad", static_cast<bool AdamWOptions::*>(&AdamOptions::amsgrad),
                                           "divide by the largest mean of squares so far")});
};

template <class D, class O, bool kDecoupled>
class AdamRule : public AdamRuleOf<D, O> {
 public:
  int state_vectors() const override { return this->options.amsgrad ? 3 : 2; }
  void update(OptimOps& ops, const UpdateRange& range, const Progress& progress, Index step) const override {
    const O& o = this->options;
    const double lr = this->learning_rate(progress);
    const double root = std::sqrt(this->correction(o.beta2, step));
    const double rate = lr / this->correction(o.beta1, step);
    const bool after = o.epsilon_placement == EpsilonPlacement::After;
    formulas::Adam f = this->formula(lr, kDecoupled);
    f.rate = after ? rate : rate * root;
    f.root_scale = after ? 1 / root : 1;
    if (!o.amsgrad) return ops.update(range, f);
    ops.update(range, formulas::AmsGrad{f.rate, f.beta1, f.beta2, f.epsilon, f.root_scale, f.decay, f.shrink});
  }
};

class Adam final : public AdamRule<Adam, AdamOptions, false> {
 public:
  static constexpr std::string_view kType = "Adam";
  static constexpr std::string_view kDoc = "Steps scaled by running means of gradients and of their squares.";
};

class AdamW final : public AdamRule<AdamW, AdamWOptions, true> {
 public:
  static constexpr std::string_view kType = "AdamW";
  static constexpr std::string_view kDoc =
      "Adam whose decay multiplies weights by 1 - learning_rate * weight_decay and leaves gradients alone.";
};

}  // namespace

void register_adam(Catalog& catalog) {
  catalog.of<UpdateRule>().add<Adam>();
  catalog.of<UpdateRule>().alias("AdamStepper", "Adam");
  catalog.of<UpdateRule>().add<AdamW>();
}

}  // namespace squall
