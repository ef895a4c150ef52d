// Sparsity at once.
#include "squall/training/schedule.hpp"

namespace squall {

namespace {

struct OneShotSparsityOptions {
  double final_value = 90;
  Index at = 0;
  static constexpr auto fields =
      std::tuple{field("final_value", &OneShotSparsityOptions::final_value, "percent from `at` on, 0 before"),
                 field("at", &OneShotSparsityOptions::at, "epoch or update")};
};

class OneShotSparsity final : public DescribedAs<Schedule, OneShotSparsity, OneShotSparsityOptions> {
 public:
  static constexpr std::string_view kType = "OneShotSparsity";
  static constexpr std::string_view kDoc = "0, then final_value from `at` on.";
  double value(Index count, Index interval) const override {
    return count / interval >= options.at ? options.final_value : 0;
  }
};

}  // namespace

void register_one_shot_sparsity_schedule(Catalog& catalog) { catalog.of<Schedule>().add<OneShotSparsity>(); }

}  // namespace squall
