// Lowers the learning rate when a log does not get better.
#include <optional>

#include "squall/hooks/criterion.hpp"
#include "squall/hooks/watched_log.hpp"
#include "squall/training/plateau.hpp"

namespace squall {

namespace {

enum class Margin : std::uint8_t { Relative, Absolute };
std::span<const EnumName<Margin>> enum_names(Margin) {
  static constexpr EnumName<Margin> kNames[] = {{"relative", Margin::Relative}, {"absolute", Margin::Absolute}};
  return kNames;
}

struct ReduceOnPlateauOptions : HookOptions {
  std::string log_name;
  Criterion criterion = Criterion::Auto;
  double factor = 0.1, threshold = 1e-4, minimum = 0, least_change = 1e-8;
  Margin margin = Margin::Relative;
  Index patience = 10, cooldown = 0;
  static constexpr auto fields = std::tuple_cat(
      hook_fields<ReduceOnPlateauOptions>(),
      std::tuple{
          field("log_name", &ReduceOnPlateauOptions::log_name, "what is watched, as \"validation.total_loss\""),
          field("criterion", &ReduceOnPlateauOptions::criterion, "min, max, or auto: min for losses and errors"),
          field("factor", &ReduceOnPlateauOptions::factor, "what the learning rate is multiplied by"),
          field("patience", &ReduceOnPlateauOptions::patience, "entries without improvement that are put up with"),
          field("threshold", &ReduceOnPlateauOptions::threshold, "what is better by no more than this is not better"),
          field("margin", &ReduceOnPlateauOptions::margin, "relative: the threshold is a share of the best; absolute"),
          field("cooldown", &ReduceOnPlateauOptions::cooldown, "entries after a reduction that do not count"),
          field("minimum", &ReduceOnPlateauOptions::minimum, "the learning rate is never below this"),
          field("least_change", &ReduceOnPlateauOptions::least_change, "smaller changes are not made")});
};

class ReduceOnPlateau final : public HookOf<ReduceOnPlateau, ReduceOnPlateauOptions> {
 public:
  static constexpr std::string_view kType = "ReduceOnPlateau";
  static constexpr std::string_view kDoc = "Lowers the learning rate when a log has not improved for some time.";
  void resolve(const Catalog&, std::string_view where, Problems& problems) const {
    if (options.log_name.empty()) problems.add(where, "option 'log_name' should say what is watched");
    if (!(options.factor > 0 && options.factor < 1)) problems.add(where, "option 'factor' should be between 0 and 1");
    if (options.patience < 0 || options.cooldown < 0)
      problems.add(where, "options 'patience' and 'cooldown' should not be negative");
  }
  HookStage stage() const override { return HookStage::Judge; }
  void start(Trainer& trainer) override {
    if (!plateau_) plateau_.emplace(trainer.stepper().rule().learning_rate(trainer.progress()), plateau_options());
    if (loaded_) plateau_->set_state(*loaded_);
    if (loaded_) set(trainer);
    loaded_.reset();
  }
  Verdict run(Trainer& trainer, const Progress& progress) override {
    const auto* log = log_.find(trainer, name(), options.log_name);
    for (; log != nullptr && seen_ < static_cast<Index>(log->size()); ++seen_) {
      const double before = plateau_->value();
      if (plateau_->report((*log)[static_cast<std::size_t>(seen_)]) == before) continue;
      set(trainer);
      trainer.say(concat(name(), ": learning rate ", plateau_->value(), " after epoch ", progress.epoch));
    }
    return Verdict::Continue;
  }
  json save_state() const override {
    if (!plateau_) return json::object();
    const Plateau::State s = plateau_->state();
    json state = {{"seen", seen_}, {"value", s.value}, {"bad", s.bad}, {"resting", s.resting}};
    if (std::isfinite(s.best)) state["best"] = s.best;
    return state;
  }
  void load_state(const json& state) override {
    seen_ = state.value("seen", Index{0});
    loaded_.reset();
    if (!state.contains("value")) return;
    const double none = Plateau(0, plateau_options()).state().best;
    loaded_ = Plateau::State{state["value"].get<double>(), state.value("best", none), state.value("bad", Index{0}),
                             state.value("resting", Index{0})};
  }

 private:
  PlateauOptions plateau_options() const {
    PlateauOptions o;
    o.smaller_is_better = smaller_is_better(options.criterion, options.log_name);
    o.relative = options.margin == Margin::Relative;
    o.factor = options.factor;
    o.threshold = options.threshold;
    o.minimum = options.minimum;
    o.least_change = options.least_change;
    o.patience = options.patience;
    o.cooldown = options.cooldown;
    return o;
  }
  void set(Trainer& trainer) const { trainer.stepper().rule().set("learning_rate", plateau_->value()); }

  WatchedLog log_;
  std::optional<Plateau> plateau_;
  std::optional<Plateau::State> loaded_;
  Index seen_ = 0;  // entries of the log that were looked at
};

}  // namespace

void register_reduce_on_plateau(Catalog& catalog) { catalog.of<Hook>().add<ReduceOnPlateau>(); }

}  // namespace squall
