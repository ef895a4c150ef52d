// From one value to another in equal steps.
#include "squall/training/schedule.hpp"

namespace squall {

namespace {

struct LinearOptions {
  double initial_value = 0, final_value = 0;
  Index num_changes = 1;
  static constexpr auto fields =
      std::tuple{field("initial_value", &LinearOptions::initial_value, "value at the start"),
                 field("final_value", &LinearOptions::final_value, "value in the end"),
                 field("num_changes", &LinearOptions::num_changes, "number of steps from one to the other")};
};

class Linear final : public DescribedAs<Schedule, Linear, LinearOptions> {
 public:
  static constexpr std::string_view kType = "Linear";
  static constexpr std::string_view kDoc = "From initial_value to final_value in num_changes equal steps.";
  void resolve(const Catalog&, std::string_view where, Problems& problems) const {
    if (options.num_changes < 1) problems.add(where, "option 'num_changes' should be at least 1");
  }
  double value(Index count, Index interval) const override {
    const Index k = count / interval;
    if (k > options.num_changes) return options.final_value;
    const double step = (options.final_value - options.initial_value) / static_cast<double>(options.num_changes);
    return options.initial_value + step * static_cast<double>(k);
  }
};

}  // namespace

void register_linear_schedule(Catalog& catalog) { catalog.of<Schedule>().add<Linear>(); }

}  // namespace squall
