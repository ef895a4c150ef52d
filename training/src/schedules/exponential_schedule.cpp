// Multiplied by a factor again and again, between bounds.
#include <algorithm>
#include <cmath>

#include "squall/training/schedule.hpp"

namespace squall {

namespace {

constexpr double kUnbounded = 1e308;  // JSON has no infinity

struct ExponentialOptions {
  double initial_value = 0, factor = 1, minimum = -kUnbounded, maximum = kUnbounded;
  static constexpr auto fields =
      std::tuple{field("initial_value", &ExponentialOptions::initial_value, "value at the start"),
                 field("factor", &ExponentialOptions::factor, "what it is multiplied by each time"),
                 field("minimum", &ExponentialOptions::minimum, "never below this; -1e308: unbounded"),
                 field("maximum", &ExponentialOptions::maximum, "never above this; 1e308: unbounded")};
};

class Exponential final : public DescribedAs<Schedule, Exponential, ExponentialOptions> {
 public:
  static constexpr std::string_view kType = "Exponential";
  static constexpr std::string_view kDoc = "initial_value * factor^k, kept between minimum and maximum.";
  double value(Index count, Index interval) const override {
    const double v = options.initial_value * std::pow(options.factor, static_cast<double>(count / interval));
    if (options.maximum < kUnbounded && v > options.maximum) return options.maximum;
    if (options.minimum > -kUnbounded && v < options.minimum) return options.minimum;
    return v;
  }
};

}  // namespace

void register_exponential_schedule(Catalog& catalog) { catalog.of<Schedule>().add<Exponential>(); }

}  // namespace squall
