// One schedule after another.
#include <algorithm>

#include "squall/training/schedule.hpp"

namespace squall {

namespace {

struct SequentialOptions {
  json schedules = json::array();
  std::vector<Index> milestones;
  static constexpr auto fields =
      std::tuple{field("schedules", &SequentialOptions::schedules, "list of schedules; each begins at its own 0"),
                 field("milestones", &SequentialOptions::milestones, "counts at which the next one takes over")};
};

class Sequential final : public DescribedAs<Schedule, Sequential, SequentialOptions> {
 public:
  static constexpr std::string_view kType = "Sequential";
  static constexpr std::string_view kDoc = "One schedule after another, the next one from each milestone on.";
  void resolve(const Catalog& catalog, std::string_view where, Problems& problems) {
    if (!options.schedules.is_array() || options.schedules.size() != options.milestones.size() + 1)
      return problems.add(where, "option 'schedules' should be a list of one more than there are milestones");
    if (!std::ranges::is_sorted(options.milestones))
      problems.add(where, "option 'milestones' should be in ascending order");
    std::size_t i = 0;
    for (const auto& part : options.schedules)
      parts_.push_back(catalog.of<Schedule>().make(part, concat(where, ".schedules.", i++), catalog, problems));
  }
  double value(Index count, Index interval) const override {
    const Index k = count / interval;
    const auto passed = std::ranges::upper_bound(options.milestones, k);
    const auto index = static_cast<std::size_t>(passed - options.milestones.begin());
    return parts_[index]->value(index == 0 ? k : k - options.milestones[index - 1], 1);
  }

 private:
  std::vector<std::unique_ptr<Schedule>> parts_;
};

}  // namespace

void register_sequential_schedule(Catalog& catalog) { catalog.of<Schedule>().add<Sequential>(); }

}  // namespace squall
