// Sparsity in rounds, each of which prunes the same part of what is left (Frankle, Carbin 2019).
#include <algorithm>
#include <cmath>

#include "squall/training/schedule.hpp"

namespace squall {

namespace {

struct IterativeSparsityOptions {
  double final_value = 90;
  Index rounds = 5, begin = 0, every = 1;
  static constexpr auto fields =
      std::tuple{field("final_value", &IterativeSparsityOptions::final_value, "percent after the last round"),
                 field("rounds", &IterativeSparsityOptions::rounds, "number of rounds"),
                 field("begin", &IterativeSparsityOptions::begin, "epoch or update of the first round"),
                 field("every", &IterativeSparsityOptions::every, "epochs or updates from round to round")};
};

class IterativeSparsity final : public DescribedAs<Schedule, IterativeSparsity, IterativeSparsityOptions> {
 public:
  static constexpr std::string_view kType = "IterativeSparsity";
  static constexpr std::string_view kDoc =
      "100 - 100 * (1 - final_value / 100)^(round / rounds), a round every so many counts.";
  void resolve(const Catalog&, std::string_view where, Problems& problems) const {
    if (options.rounds < 1 || options.every < 1 || options.begin < 0)
      problems.add(where, "options 'rounds' and 'every' should be at least 1, 'begin' at least 0");
    if (!(options.final_value >= 0 && options.final_value <= 100))
      problems.add(where, "option 'final_value' is a percentage, 0 to 100");
  }
  double value(Index count, Index interval) const override {
    const Index k = count / interval - options.begin;
    if (k < 0) return 0;
    const Index round = std::min(k / options.every + 1, options.rounds);
    if (round == options.rounds) return options.final_value;
    const double left = 1 - options.final_value / 100;
    return 100 - 100 * std::pow(left, static_cast<double>(round) / static_cast<double>(options.rounds));
  }
};

}  // namespace

void register_iterative_sparsity_schedule(Catalog& catalog) { catalog.of<Schedule>().add<IterativeSparsity>(); }

}  // namespace squall
