// Other values from given counts on.
#include <algorithm>

#include "squall/training/schedule.hpp"

namespace squall {

namespace {

struct MultiStepOptions {
  double initial_value = 0;
  std::vector<double> steps, values;
  double factor = 1;
  static constexpr auto fields =
      std::tuple{field("initial_value", &MultiStepOptions::initial_value, "value before the first step"),
                 field("steps", &MultiStepOptions::steps, "counts from which on a new value holds; 1e308: never"),
                 field("values", &MultiStepOptions::values, "the new values; none: see factor"),
                 field("factor", &MultiStepOptions::factor, "without values: multiplied by this at each step")};
};

class MultiStep final : public DescribedAs<Schedule, MultiStep, MultiStepOptions> {
 public:
  static constexpr std::string_view kType = "MultiStep";
  static constexpr std::string_view kDoc = "values[i] from count steps[i] on, or multiplied by factor at each step.";
  void resolve(const Catalog&, std::string_view where, Problems& problems) {
    // Brainstorm writes its lists with an endless last step that has no value.
    const bool by_factor = options.values.empty() && options.factor != 1;
    const bool endless = !options.steps.empty() && options.steps.back() >= 1e308;
    if (!by_factor && options.steps.size() != options.values.size() &&
        !(endless && options.steps.size() == options.values.size() + 1))
      problems.add(where, concat("options 'steps' and 'values' should be of equal length, not ", options.steps.size(),
                                 " and ", options.values.size()));
    if (!std::ranges::is_sorted(options.steps)) problems.add(where, "option 'steps' should be in ascending order");
  }
  double value(Index count, Index interval) const override {
    if (interval != 1) raise<ConfigError>("a MultiStep schedule needs an interval of 1, not ", interval);
    double v = options.initial_value;
    if (options.values.empty())
      for (const double step : options.steps)
        if (step <= static_cast<double>(count)) v *= options.factor;
    for (std::size_t i = 0; i < options.values.size() && options.steps[i] <= static_cast<double>(count); ++i)
      v = options.values[i];
    return v;
  }
};

}  // namespace

void register_multi_step_schedule(Catalog& catalog) { catalog.of<Schedule>().add<MultiStep>(); }

}  // namespace squall
