// Constant for T epochs, then falling like 1 / epoch.
#include <algorithm>

#include "squall/training/schedule.hpp"

namespace squall {

namespace {

struct DecreaseAfterEpochOptions {
  double initial_value = 0;
  Index T = 1;
  static constexpr auto fields =
      std::tuple{field("initial_value", &DecreaseAfterEpochOptions::initial_value, "value of the first T epochs"),
                 field("T", &DecreaseAfterEpochOptions::T, "number of epochs before it falls")};
};

class DecreaseAfterEpoch final : public DescribedAs<Schedule, DecreaseAfterEpoch, DecreaseAfterEpochOptions> {
 public:
  static constexpr std::string_view kType = "DecreaseAfterEpoch";
  static constexpr std::string_view kDoc = "initial_value * T / max(epoch + 1, T), by epochs whatever the timescale.";
  void resolve(const Catalog&, std::string_view where, Problems& problems) const {
    if (options.T < 1) problems.add(where, "option 'T' should be at least 1");
  }
  bool always_by_epoch() const override { return true; }
  double value(Index count, Index) const override {
    return options.initial_value * static_cast<double>(options.T) / static_cast<double>(std::max(count + 1, options.T));
  }
};

}  // namespace

void register_decrease_after_epoch_schedule(Catalog& catalog) { catalog.of<Schedule>().add<DecreaseAfterEpoch>(); }

}  // namespace squall
