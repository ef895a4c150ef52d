// Up and down once (Smith, Topin 2018); with a peak below the ends it serves a momentum, too.
#include <algorithm>
#include <cmath>

#include "squall/training/schedule.hpp"

namespace squall {

namespace {

enum class Way : std::uint8_t { Cosine, Linear };
std::span<const EnumName<Way>> enum_names(Way) {
  static constexpr EnumName<Way> kNames[] = {{"cosine", Way::Cosine}, {"linear", Way::Linear}};
  return kNames;
}

struct OneCycleOptions {
  double initial_value = 0, peak_value = 0, final_value = 0, peak_at = 0.3;
  Index total = 2;
  Way way = Way::Cosine;
  bool three_phases = false;
  static constexpr auto fields =
      std::tuple{field("initial_value", &OneCycleOptions::initial_value, "value at the start"),
                 field("peak_value", &OneCycleOptions::peak_value, "value it goes to first"),
                 field("final_value", &OneCycleOptions::final_value, "value in the end"),
                 field("total", &OneCycleOptions::total, "number of counts"),
                 field("peak_at", &OneCycleOptions::peak_at, "part of them at which it is at its peak"),
                 field("way", &OneCycleOptions::way, "from value to value by: cosine, linear"),
                 field("three_phases", &OneCycleOptions::three_phases,
                       "back to the initial value, as fast, before the final one")};
};

class OneCycle final : public DescribedAs<Schedule, OneCycle, OneCycleOptions> {
 public:
  static constexpr std::string_view kType = "OneCycle";
  static constexpr std::string_view kDoc = "From initial_value to peak_value to final_value within total counts.";
  void resolve(const Catalog&, std::string_view where, Problems& problems) const {
    if (options.total < 2) problems.add(where, "option 'total' should be at least 2");
    const double most = options.three_phases ? 0.5 : 1;
    if (!(options.peak_at > 0 && options.peak_at < most))
      problems.add(where, concat("option 'peak_at' should be above 0 and below ", most));
  }
  double value(Index count, Index interval) const override {
    const double last = static_cast<double>(options.total - 1);
    const double k = std::min(static_cast<double>(count / interval), last);
    const double peak = options.peak_at * static_cast<double>(options.total) - 1;
    if (k <= peak) return between(options.initial_value, options.peak_value, 0, peak, k);
    if (!options.three_phases) return between(options.peak_value, options.final_value, peak, last, k);
    const double back = 2 * options.peak_at * static_cast<double>(options.total) - 2;
    if (k <= back) return between(options.peak_value, options.initial_value, peak, back, k);
    return between(options.initial_value, options.final_value, back, last, k);
  }

 private:
  double between(double from, double to, double begin, double end, double k) const {
    const double part = end > begin ? (k - begin) / (end - begin) : 1;
    if (options.way == Way::Linear) return from + (to - from) * part;
    return to + (from - to) * (1 + std::cos(3.14159265358979323846 * part)) / 2;
  }
};

}  // namespace

void register_one_cycle_schedule(Catalog& catalog) { catalog.of<Schedule>().add<OneCycle>(); }

}  // namespace squall
