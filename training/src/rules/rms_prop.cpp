// Gradients divided by the root of their mean square (Tieleman, Hinton 2012).
#include "rules/rule.hpp"

namespace squall {

namespace {

struct RmsPropOptions {
  json learning_rate = 0.001;
  double decay = 0.9, epsilon = 1e-7;
  bool centered = false;
  json momentum = 0.0;
  double weight_decay = 0;
  json groups = json::object();
  static constexpr auto fields = std::tuple{
      field("learning_rate", &RmsPropOptions::learning_rate, kRateDoc),
      field("decay", &RmsPropOptions::decay, "part of the mean of squares that is kept"),
      field("epsilon", &RmsPropOptions::epsilon, "added to the root of the mean of squares"),
      field("centered", &RmsPropOptions::centered,
            "divide by the deviation: the mean of squares less the squared mean"),
      field("momentum", &RmsPropOptions::momentum, "part of the velocity that is kept, a number or a schedule"),
      field("weight_decay", &RmsPropOptions::weight_decay, kDecayDoc),
      field("groups", &RmsPropOptions::groups, kGroupsDoc)};
};

class RmsProp final : public MomentumRuleOf<RmsProp, RmsPropOptions> {
 public:
  static constexpr std::string_view kType = "RmsProp";
  static constexpr std::string_view kDoc = "Gradients divided by the root of their running mean square.";
  void resolve(const Catalog& catalog, std::string_view where, Problems& problems) {
    MomentumRuleOf::resolve(catalog, where, problems);
    in_range(where, "decay", options.decay, 0, 1, problems);
    in_range(where, "epsilon", options.epsilon, 0, kAnything, problems);
    in_range(where, "weight_decay", options.weight_decay, 0, kAnything, problems);
  }
  int state_vectors() const override { return 1 + (moves() ? 1 : 0) + (options.centered ? 1 : 0); }
  void update(OptimOps& ops, const UpdateRange& range, const Progress& progress, Index) const override {
    if (moves())
      options.centered ? apply<true, true>(ops, range, progress) : apply<true, false>(ops, range, progress);
    else
      options.centered ? apply<false, true>(ops, range, progress) : apply<false, false>(ops, range, progress);
  }

 protected:
  bool set_own(std::string_view option, double value) override {
    return (option != "momentum" || moves()) && MomentumRuleOf::set_own(option, value);
  }

 private:
  bool moves() const { return options.momentum.is_object() || options.momentum != 0.0; }
  template <bool kMomentum, bool kCentered>
  void apply(OptimOps& ops, const UpdateRange& range, const Progress& progress) const {
    ops.update(range, formulas::RmsProp<kMomentum, kCentered>{learning_rate(progress), options.decay, options.epsilon,
                                                              momentum(progress), options.weight_decay});
  }
};

}  // namespace

void register_rms_prop(Catalog& catalog) { catalog.of<UpdateRule>().add<RmsProp>(); }

}  // namespace squall
