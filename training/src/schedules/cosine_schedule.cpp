// Down along half a cosine, once and again, or with restarts (Loshchilov, Hutter 2017).
#include <cmath>

#include "squall/training/schedule.hpp"

namespace squall {

namespace {

constexpr double kPi = 3.14159265358979323846;

double along(double from, double to, double part) { return to + (from - to) * (1 + std::cos(kPi * part)) / 2; }

struct CosineOptions {
  double initial_value = 0, final_value = 0;
  Index num_changes = 1;
  static constexpr auto fields =
      std::tuple{field("initial_value", &CosineOptions::initial_value, "value at the start"),
                 field("final_value", &CosineOptions::final_value, "value after num_changes counts"),
                 field("num_changes", &CosineOptions::num_changes, "number of steps from one to the other")};
};

class Cosine final : public DescribedAs<Schedule, Cosine, CosineOptions> {
 public:
  static constexpr std::string_view kType = "Cosine";
  static constexpr std::string_view kDoc =
      "From initial_value to final_value along half a cosine, then up again, and so on.";
  void resolve(const Catalog&, std::string_view where, Problems& problems) const {
    if (options.num_changes < 1) problems.add(where, "option 'num_changes' should be at least 1");
  }
  double value(Index count, Index interval) const override {
    const Index k = count / interval % (2 * options.num_changes);
    return along(options.initial_value, options.final_value,
                 static_cast<double>(k) / static_cast<double>(options.num_changes));
  }
};

struct CosineRestartsOptions {
  double initial_value = 0, final_value = 0;
  Index period = 1, period_factor = 1;
  static constexpr auto fields =
      std::tuple{field("initial_value", &CosineRestartsOptions::initial_value, "value at each start"),
                 field("final_value", &CosineRestartsOptions::final_value, "what it falls towards"),
                 field("period", &CosineRestartsOptions::period, "counts from the first start to the second"),
                 field("period_factor", &CosineRestartsOptions::period_factor, "how much longer each period is")};
};

class CosineRestarts final : public DescribedAs<Schedule, CosineRestarts, CosineRestartsOptions> {
 public:
  static constexpr std::string_view kType = "CosineRestarts";
  static constexpr std::string_view kDoc =
      "From initial_value towards final_value along half a cosine, again and again, each time period_factor longer.";
  void resolve(const Catalog&, std::string_view where, Problems& problems) const {
    if (options.period < 1 || options.period_factor < 1)
      problems.add(where, "options 'period' and 'period_factor' should be at least 1");
  }
  double value(Index count, Index interval) const override {
    Index k = count / interval, period = options.period;
    if (options.period_factor == 1) k %= period;
    while (k >= period) {
      k -= period;
      period *= options.period_factor;
    }
    return along(options.initial_value, options.final_value, static_cast<double>(k) / static_cast<double>(period));
  }
};

}  // namespace

void register_cosine_schedule(Catalog& catalog) {
  catalog.of<Schedule>().add<Cosine>();
  catalog.of<Schedule>().add<CosineRestarts>();
}

}  // namespace squall
