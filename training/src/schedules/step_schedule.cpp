// Multiplied by a factor every so many counts.
#include <cmath>

#include "squall/training/schedule.hpp"

namespace squall {

namespace {

struct StepOptions {
  double initial_value = 0, factor = 0.1;
  Index step_size = 1;
  bool smooth = false;
  static constexpr auto fields =
      std::tuple{field("initial_value", &StepOptions::initial_value, "value at the start"),
                 field("factor", &StepOptions::factor, "what it is multiplied by"),
                 field("step_size", &StepOptions::step_size, "counts from one multiplication to the next"),
                 field("smooth", &StepOptions::smooth, "multiply a little at every count instead")};
};

class Step final : public DescribedAs<Schedule, Step, StepOptions> {
 public:
  static constexpr std::string_view kType = "Step";
  static constexpr std::string_view kDoc = "initial_value * factor^(count / step_size), the quotient rounded down.";
  void resolve(const Catalog&, std::string_view where, Problems& problems) const {
    if (options.step_size < 1) problems.add(where, "option 'step_size' should be at least 1");
  }
  double value(Index count, Index interval) const override {
    const Index k = count / interval;
    const double power = options.smooth ? static_cast<double>(k) / static_cast<double>(options.step_size)
                                        : static_cast<double>(k / options.step_size);
    return options.initial_value * std::pow(options.factor, power);
  }
};

}  // namespace

void register_step_schedule(Catalog& catalog) { catalog.of<Schedule>().add<Step>(); }

}  // namespace squall
