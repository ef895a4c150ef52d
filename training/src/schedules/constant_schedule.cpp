// One value, or another one at the beginning.
#include "squall/training/schedule.hpp"

namespace squall {

namespace {

struct ConstantOptions {
  double value = 0, factor = 1;
  Index num_changes = 0;
  static constexpr auto fields =
      std::tuple{field("value", &ConstantOptions::value, "the value"),
                 field("factor", &ConstantOptions::factor, "what it is multiplied by in the beginning"),
                 field("num_changes", &ConstantOptions::num_changes, "how long the beginning is")};
};

class Constant final : public DescribedAs<Schedule, Constant, ConstantOptions> {
 public:
  static constexpr std::string_view kType = "Constant";
  static constexpr std::string_view kDoc = "value, for the first num_changes counts value * factor.";
  double value(Index count, Index interval) const override {
    return count / interval < options.num_changes ? options.value * options.factor : options.value;
  }
};

}  // namespace

void register_constant_schedule(Catalog& catalog) { catalog.of<Schedule>().add<Constant>(); }

}  // namespace squall
