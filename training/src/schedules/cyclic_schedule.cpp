// Up and down again and again (Smith 2017); with a peak below the base it serves a momentum, too.
#include <cmath>

#include "squall/training/schedule.hpp"

namespace squall {

namespace {

enum class Fade : std::uint8_t { None, Halves, Exponential };
std::span<const EnumName<Fade>> enum_names(Fade) {
  static constexpr EnumName<Fade> kNames[] = {
      {"none", Fade::None}, {"halves", Fade::Halves}, {"exponential", Fade::Exponential}};
  return kNames;
}

struct CyclicOptions {
  double initial_value = 0, peak_value = 0, factor = 1;
  Index up = 1, down = 1;
  Fade fade = Fade::None;
  static constexpr auto fields =
      std::tuple{field("initial_value", &CyclicOptions::initial_value, "where each cycle begins and ends"),
                 field("peak_value", &CyclicOptions::peak_value, "where the first cycle turns"),
                 field("up", &CyclicOptions::up, "counts to the turn"),
                 field("down", &CyclicOptions::down, "counts back"),
                 field("fade", &CyclicOptions::fade,
                       "none: cycles are alike; halves: each is half as high; exponential: factor^count as high"),
                 field("factor", &CyclicOptions::factor, "of an exponential fade")};
};

class Cyclic final : public DescribedAs<Schedule, Cyclic, CyclicOptions> {
 public:
  static constexpr std::string_view kType = "Cyclic";
  static constexpr std::string_view kDoc = "From initial_value in a line to peak_value and back, again and again.";
  void resolve(const Catalog&, std::string_view where, Problems& problems) const {
    if (options.up < 1 || options.down < 1) problems.add(where, "options 'up' and 'down' should be at least 1");
  }
  double value(Index count, Index interval) const override {
    const Index k = count / interval, cycle = k / (options.up + options.down), at = k % (options.up + options.down);
    const double part = at <= options.up
                            ? static_cast<double>(at) / static_cast<double>(options.up)
                            : static_cast<double>(options.up + options.down - at) / static_cast<double>(options.down);
    double height = options.peak_value - options.initial_value;
    if (options.fade == Fade::Halves) height *= std::pow(0.5, static_cast<double>(cycle));
    if (options.fade == Fade::Exponential) height *= std::pow(options.factor, static_cast<double>(k));
    return options.initial_value + height * part;
  }
};

}  // namespace

void register_cyclic_schedule(Catalog& catalog) { catalog.of<Schedule>().add<Cyclic>(); }

}  // namespace squall
