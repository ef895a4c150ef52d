// Steps by the sign of the gradient (Riedmiller, Braun 1993); for whole data sets rather than minibatches.
#include "rules/rule.hpp"

namespace squall {

namespace {

struct RPropOptions {
  json learning_rate = 0.01;
  double shrink = 0.5, grow = 1.2, smallest = 1e-6, largest = 50;
  json groups = json::object();
  static constexpr auto fields =
      std::tuple{field("learning_rate", &RPropOptions::learning_rate, "size of the first step, a number"),
                 field("shrink", &RPropOptions::shrink, "factor of the step when the gradient changes its sign"),
                 field("grow", &RPropOptions::grow, "factor of the step when it does not"),
                 field("smallest", &RPropOptions::smallest, "no step is smaller"),
                 field("largest", &RPropOptions::largest, "no step is larger"),
                 field("groups", &RPropOptions::groups, kGroupsDoc)};
};

class RProp final : public RuleOf<RProp, RPropOptions> {
 public:
  static constexpr std::string_view kType = "RProp";
  static constexpr std::string_view kDoc = "Steps by the sign of the gradient; each weight has a step of its own.";
  void resolve(const Catalog& catalog, std::string_view where, Problems& problems) {
    RuleOf::resolve(catalog, where, problems);
    if (!options.learning_rate.is_number()) problems.add(where, "option 'learning_rate' should be a number");
    if (!(options.shrink > 0 && options.shrink < 1 && options.grow > 1))
      problems.add(where, "options 'shrink' and 'grow' should be between 0 and 1 and above 1");
    if (!(options.smallest >= 0 && options.smallest <= options.largest))
      problems.add(where, "option 'smallest' should be at least 0 and not above 'largest'");
  }
  int state_vectors() const override { return 2; }
  double state_initial(int vector) const override { return vector == 1 ? learning_rate({}) : 0; }
  void update(OptimOps& ops, const UpdateRange& range, const Progress&, Index) const override {
    ops.update(range, formulas::RProp{options.shrink, options.grow, options.smallest, options.largest});
  }
};

}  // namespace

void register_r_prop(Catalog& catalog) { catalog.of<UpdateRule>().add<RProp>(); }

}  // namespace squall
