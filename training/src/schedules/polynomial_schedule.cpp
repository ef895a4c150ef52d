// From one value to another along a power of what is left.
#include <algorithm>
#include <cmath>

#include "squall/training/schedule.hpp"

namespace squall {

namespace {

struct PolynomialOptions {
  double initial_value = 0, final_value = 0, power = 1;
  Index num_changes = 1;
  static constexpr auto fields =
      std::tuple{field("initial_value", &PolynomialOptions::initial_value, "value at the start"),
                 field("final_value", &PolynomialOptions::final_value, "value in the end"),
                 field("power", &PolynomialOptions::power, "1: a line; more: fast at first"),
                 field("num_changes", &PolynomialOptions::num_changes, "number of steps from one to the other")};
};

class Polynomial final : public DescribedAs<Schedule, Polynomial, PolynomialOptions> {
 public:
  static constexpr std::string_view kType = "Polynomial";
  static constexpr std::string_view kDoc =
      "final_value + (initial_value - final_value) * (1 - count / num_changes)^power, then final_value.";
  void resolve(const Catalog&, std::string_view where, Problems& problems) const {
    if (options.num_changes < 1) problems.add(where, "option 'num_changes' should be at least 1");
    if (options.power <= 0) problems.add(where, "option 'power' should be above 0");
  }
  double value(Index count, Index interval) const override {
    const Index k = std::min(count / interval, options.num_changes);
    const double left = 1 - static_cast<double>(k) / static_cast<double>(options.num_changes);
    return options.final_value + (options.initial_value - options.final_value) * std::pow(left, options.power);
  }
};

}  // namespace

void register_polynomial_schedule(Catalog& catalog) { catalog.of<Schedule>().add<Polynomial>(); }

}  // namespace squall
