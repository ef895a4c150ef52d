// Stops when a log has not improved for some time.
#include <algorithm>
#include <limits>

#include "squall/hooks/criterion.hpp"
#include "squall/hooks/parameter_snapshot.hpp"
#include "squall/hooks/watched_log.hpp"

namespace squall {

namespace {

struct EarlyStopperOptions : HookOptions {
  std::string log_name, log;
  Index patience = 1;
  Criterion criterion = Criterion::Auto;
  double min_delta = 0;
  bool restore_best = true;
  static constexpr auto fields = std::tuple_cat(
      hook_fields<EarlyStopperOptions>(),
      std::tuple{
          field("log_name", &EarlyStopperOptions::log_name, "what is watched, as \"validation.total_loss\""),
          field("log", &EarlyStopperOptions::log, "the same as log_name"),
          field("patience", &EarlyStopperOptions::patience, "entries without improvement after which it stops"),
          field("criterion", &EarlyStopperOptions::criterion, "min, max, or auto: min for losses and errors"),
          field("min_delta", &EarlyStopperOptions::min_delta, "what is better by no more than this is not better"),
          field("restore_best", &EarlyStopperOptions::restore_best,
                "put the best parameters back when training ends (not when it is interrupted)")});
};

class EarlyStopper final : public HookOf<EarlyStopper, EarlyStopperOptions> {
 public:
  static constexpr std::string_view kType = "EarlyStopper";
  static constexpr std::string_view kDoc = "Stops when a log has not improved for `patience` entries.";
  void resolve(const Catalog&, std::string_view where, Problems& problems) const {
    if (options.log_name.empty() == options.log.empty())
      problems.add(where, "option 'log_name' (or 'log') should say what is watched");
    if (options.patience < 1) problems.add(where, "option 'patience' should be at least 1");
    if (options.min_delta < 0) problems.add(where, "option 'min_delta' should not be negative");
  }
  HookStage stage() const override { return HookStage::Judge; }

  Verdict run(Trainer& trainer, const Progress& progress) override {
    const auto* log = log_.find(trainer, name(), watched());
    if (log == nullptr || log->empty()) return Verdict::Continue;
    const bool fresh = static_cast<Index>(log->size()) > seen_;
    seen_ = static_cast<Index>(log->size());
    if (fresh && options.restore_best &&
        (best_.empty() || is_better(log->back(), best_value_, smaller(), options.min_delta))) {
      best_.capture(trainer.network());
      best_value_ = log->back();
      best_at_ = progress;
    }
    return verdict(*log);
  }
  Verdict still_stopped(Trainer& trainer, const Progress&) override {
    const auto* log = trainer.logs().find(watched());
    return log == nullptr ? Verdict::Continue : verdict(*log);
  }
  void finish(Trainer& trainer) override {
    const bool over = trainer.ended() == Ended::StoppedByHook || trainer.ended() == Ended::Finished;
    if (!over || best_.empty() || !options.restore_best) return;
    if (!best_.fits(trainer.network()))
      return trainer.say(concat(name(), ": parameters have changed their form; the best ones are not restored"));
    if (trainer.progress().update == best_at_.update) return;
    best_.restore(trainer.network());
    trainer.say(concat(name(), " restores the parameters of epoch ", best_at_.epoch));
  }

  json save_state() const override {
    if (best_.empty() && seen_ == 0) return json::object();
    return {{"seen", seen_},
            {"best_value", write_number(best_value_)},
            {"best_epoch", best_at_.epoch},
            {"best_update", best_at_.update}};
  }
  void load_state(const json& state) override {
    seen_ = state.value("seen", Index{0});
    best_at_ = {state.value("best_epoch", Index{0}), state.value("best_update", Index{0})};
    best_value_ = state.contains("best_value") && state["best_value"].is_number()
                      ? state["best_value"].get<double>()
                      : std::numeric_limits<double>::quiet_NaN();
    best_.clear();
  }
  std::vector<HostArray> save_arrays() const override { return best_.arrays(); }
  void load_arrays(std::vector<HostArray> arrays) override { best_.set_arrays(std::move(arrays)); }

 private:
  const std::string& watched() const { return options.log_name.empty() ? options.log : options.log_name; }
  bool smaller() const { return smaller_is_better(options.criterion, watched()); }
  Verdict verdict(const std::vector<double>& log) const {
    const Index best = best_index(log, smaller(), options.min_delta);
    return static_cast<Index>(log.size()) > best + options.patience ? Verdict::Stop : Verdict::Continue;
  }
  static json write_number(double v) { return std::isfinite(v) ? json(v) : json(nullptr); }

  WatchedLog log_;
  ParameterSnapshot best_;
  double best_value_ = std::numeric_limits<double>::quiet_NaN();
  Progress best_at_;
  Index seen_ = 0;  // entries of the log that were looked at
};

}  // namespace

void register_early_stopper(Catalog& catalog) { catalog.of<Hook>().add<EarlyStopper>(); }

}  // namespace squall
