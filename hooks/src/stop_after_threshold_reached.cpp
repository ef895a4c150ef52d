// Stops when a log is good enough.
#include <algorithm>

#include "squall/hooks/criterion.hpp"
#include "squall/hooks/watched_log.hpp"

namespace squall {

namespace {

struct StopAfterThresholdReachedOptions : HookOptions {
  std::string log_name;
  double threshold = 0;
  Criterion criterion = Criterion::Auto;
  static constexpr auto fields = std::tuple_cat(
      hook_fields<StopAfterThresholdReachedOptions>(),
      std::tuple{field("log_name", &StopAfterThresholdReachedOptions::log_name, "what is watched"),
                 field("threshold", &StopAfterThresholdReachedOptions::threshold, "the value to reach"),
                 field("criterion", &StopAfterThresholdReachedOptions::criterion,
                       "min: stop at or below it; max: at or above it; auto: min for losses and errors")});
};

class StopAfterThresholdReached final : public HookOf<StopAfterThresholdReached, StopAfterThresholdReachedOptions> {
 public:
  static constexpr std::string_view kType = "StopAfterThresholdReached";
  static constexpr std::string_view kDoc = "Stops when a log has reached a threshold.";
  void resolve(const Catalog&, std::string_view where, Problems& problems) const {
    if (options.log_name.empty()) problems.add(where, "option 'log_name' should say what is watched");
  }
  HookStage stage() const override { return HookStage::Judge; }
  Verdict run(Trainer& trainer, const Progress&) override {
    return verdict(log_.find(trainer, name(), options.log_name));
  }
  Verdict still_stopped(Trainer& trainer, const Progress&) override {
    return verdict(trainer.logs().find(options.log_name));
  }

 private:
  Verdict verdict(const std::vector<double>* log) const {
    if (log == nullptr) return Verdict::Continue;
    const bool smaller = smaller_is_better(options.criterion, options.log_name);
    const bool reached =
        std::ranges::any_of(*log, [&](double v) { return smaller ? v <= options.threshold : v >= options.threshold; });
    return reached ? Verdict::Stop : Verdict::Continue;
  }

  WatchedLog log_;
};

}  // namespace

void register_stop_after_threshold_reached(Catalog& catalog) { catalog.of<Hook>().add<StopAfterThresholdReached>(); }

}  // namespace squall
