// Sparsity that rises fast while weights abound and slowly in the end (Zhu, Gupta 2017).
#include <algorithm>
#include <cmath>

#include "squall/training/schedule.hpp"

namespace squall {

namespace {

struct GradualSparsityOptions {
  double initial_value = 0, final_value = 90, power = 3;
  Index begin = 0, end = 1;
  static constexpr auto fields =
      std::tuple{field("initial_value", &GradualSparsityOptions::initial_value, "percent at `begin`"),
                 field("final_value", &GradualSparsityOptions::final_value, "percent from `end` on"),
                 field("power", &GradualSparsityOptions::power, "3: cubic; 1: linear"),
                 field("begin", &GradualSparsityOptions::begin, "epoch or update of the first masks; before it: 0"),
                 field("end", &GradualSparsityOptions::end, "epoch or update at which it is reached")};
};

class GradualSparsity final : public DescribedAs<Schedule, GradualSparsity, GradualSparsityOptions> {
 public:
  static constexpr std::string_view kType = "GradualSparsity";
  static constexpr std::string_view kDoc =
      "final_value + (initial_value - final_value) * (1 - (count - begin) / (end - begin))^power.";
  void resolve(const Catalog&, std::string_view where, Problems& problems) const {
    if (options.begin < 0 || options.end <= options.begin)
      problems.add(where, "option 'end' should be after 'begin', which is at least 0");
    if (options.power <= 0) problems.add(where, "option 'power' should be above 0");
  }
  double value(Index count, Index interval) const override {
    const Index k = count / interval;
    if (k < options.begin) return 0;
    if (k >= options.end) return options.final_value;
    const double done = static_cast<double>(k - options.begin) / static_cast<double>(options.end - options.begin);
    return options.final_value + (options.initial_value - options.final_value) * std::pow(1 - done, options.power);
  }
};

}  // namespace

void register_gradual_sparsity_schedule(Catalog& catalog) { catalog.of<Schedule>().add<GradualSparsity>(); }

}  // namespace squall
