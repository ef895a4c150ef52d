// Prunes further whenever a measurement is good enough, then lets the network settle.
#include <algorithm>
#include <cmath>

#include "squall/hooks/changes_masks.hpp"
#include "squall/hooks/criterion.hpp"
#include "squall/training/forget_masked.hpp"
#include "squall/training/masked_snapshot.hpp"
#include "squall/training/sparsification_state.hpp"

namespace squall {

namespace {

struct ActiveSparsificationOptions : ChangesMasksOptions {
  double performance_cutoff = 0;
  json performance_measure = "auto";
  Criterion criterion = Criterion::Auto;
  double starting_sparsification = 0, max_sparsification = 99, sparsification_rate = 1;
  Index sparsification_patience = 10;
  double stopping_delta = 0.01;
  Index stopping_patience = 5;
  bool restore_best_weights = true;
  std::string compat;
  static constexpr auto fields = std::tuple_cat(
      hook_fields<ActiveSparsificationOptions>(), changes_masks_fields<ActiveSparsificationOptions>(),
      std::tuple{
          field("performance_cutoff", &ActiveSparsificationOptions::performance_cutoff,
                "pruning goes on while the measurement reaches this"),
          field("performance_measure", &ActiveSparsificationOptions::performance_measure,
                "a log, a list of logs of which the worst counts, or auto: accuracies of all tasks, else the loss"),
          field("criterion", &ActiveSparsificationOptions::criterion, "min, max, or auto: min for losses and errors"),
          field("starting_sparsification", &ActiveSparsificationOptions::starting_sparsification,
                "percent pruned at the start"),
          field("max_sparsification", &ActiveSparsificationOptions::max_sparsification, "never more percent"),
          field("sparsification_rate", &ActiveSparsificationOptions::sparsification_rate, "percent more each time"),
          field("sparsification_patience", &ActiveSparsificationOptions::sparsification_patience,
                "epochs below the cutoff before the best is put back and pruning ends"),
          field("stopping_delta", &ActiveSparsificationOptions::stopping_delta, "least improvement that counts"),
          field("stopping_patience", &ActiveSparsificationOptions::stopping_patience,
                "epochs without improvement, after pruning, before training stops"),
          field("restore_best_weights", &ActiveSparsificationOptions::restore_best_weights,
                "put the best weights and masks back in the end"),
          field("compat", &ActiveSparsificationOptions::compat,
                "\"beyondml\": the original's states and selection, literally")});
};

bool is_percentage(double v) { return v >= 0 && v <= 100; }

class ActiveSparsification final : public HookOf<ActiveSparsification, ActiveSparsificationOptions> {
 public:
  static constexpr std::string_view kType = "ActiveSparsification";
  static constexpr std::string_view kDoc =
      "Prunes a little more whenever the measurement reaches the cutoff; when it no longer does, puts the best weights "
      "and masks back and stops when they get no better.";
  void resolve(const Catalog& catalog, std::string_view where, Problems& problems) {
    const auto& o = options;
    if (!is_percentage(o.starting_sparsification) || !is_percentage(o.max_sparsification))
      problems.add(where, "options 'starting_sparsification' and 'max_sparsification' are percentages, 0 to 100");
    if (!(o.sparsification_rate > 0)) problems.add(where, "option 'sparsification_rate' should be above 0");
    if (o.sparsification_patience < 1 || o.stopping_patience < 1)
      problems.add(where, "options 'sparsification_patience' and 'stopping_patience' should be at least 1");
    if (!o.compat.empty() && o.compat != "beyondml")
      problems.add(where, "option 'compat' should be \"beyondml\" or left out");
    read_measures(where, problems);
    check_changes_masks(options, catalog, where, problems);
  }
  HookStage stage() const override { return HookStage::Judge; }
  bool changes_masks() const override { return true; }

  void start(Trainer& trainer) override {
    prepare_masks(trainer);
    if (!pending_.empty()) best_.set_arrays(std::move(pending_), trainer.network());
    pending_.clear();
    if (state_) return;  // training goes on
    if (options.starting_sparsification > 0 && !literal()) set_masks(trainer, options.starting_sparsification);
    best_.capture(trainer.network());
  }
  Verdict run(Trainer& trainer, const Progress& progress) override {
    if (progress.epoch == 0 || !find_measures(trainer)) return Verdict::Continue;
    const auto actions = state_->next(measured(trainer));
    if (actions.keep) best_.capture(trainer.network());
    if (actions.mask) set_masks(trainer, *actions.mask);
    if (actions.restore) restore(trainer);
    trainer.log(concat(name(), ".sparsity"), state_->sparsity());
    return actions.stop ? Verdict::Stop : Verdict::Continue;
  }
  void finish(Trainer& trainer) override {
    if (trainer.ended() != Ended::Finished && trainer.ended() != Ended::StoppedByHook) return;
    if (state_ && state_->restores_at_end()) restore(trainer);
    pack_masks(trainer.network());
  }

  json save_state() const override {
    if (!state_) return json::object();
    return {{"state", state_->save()}, {"measures", measures_}, {"smaller", smaller_}};
  }
  void load_state(const json& j) override {
    state_.reset();
    if (!j.contains("state")) return;
    measures_ = j["measures"].get<std::vector<std::string>>();
    smaller_ = j["smaller"].get<bool>();
    make_state();
    state_->load(j["state"]);
  }
  std::vector<HostArray> save_arrays() const override { return best_.arrays(); }
  void load_arrays(std::vector<HostArray> arrays) override { pending_ = std::move(arrays); }

 private:
  bool literal() const { return !options.compat.empty(); }

  void read_measures(std::string_view where, Problems& problems) {
    measures_.clear();
    const json& m = options.performance_measure;
    const json list = m.is_array() ? m : json::array({m});
    for (const auto& one : list)
      if (one.is_string())
        measures_.push_back(one.get<std::string>());
      else
        problems.add(where, concat("option 'performance_measure' should name logs, not ", one.dump()));
    if (m == "auto") measures_.clear();
  }
  void make_state() {
    SparsificationRules r;
    r.cutoff = options.performance_cutoff;
    r.smaller_is_better = smaller_;
    r.starting = options.starting_sparsification;
    r.maximum = options.max_sparsification;
    r.rate = options.sparsification_rate;
    r.patience = options.sparsification_patience;
    r.stopping_delta = options.stopping_delta;
    r.stopping_patience = options.stopping_patience;
    r.restore_best = options.restore_best_weights;
    r.literal = literal();
    state_.emplace(r);
  }
  // Accuracies of all tasks or the loss, of validation or else of training: what is there at first.
  static std::vector<std::string> automatic(const Trainer& trainer) {
    for (const std::string group : {"validation", "rolling_training"}) {
      std::vector<std::string> found;
      for (const auto& task : trainer.tasks()) {
        const std::string own = concat(group, ".", task.name, ".accuracy");
        found.push_back(trainer.logs().find(own) != nullptr ? own : group + ".accuracy");
      }
      found.erase(std::unique(found.begin(), found.end()), found.end());
      const auto logged = [&](const std::string& log) { return trainer.logs().find(log) != nullptr; };
      if (!found.empty() && std::ranges::all_of(found, logged)) return found;
      if (logged(group + ".total_loss")) return {group + ".total_loss"};
    }
    return {};
  }
  // Chosen once; false while nothing has been logged.
  bool find_measures(const Trainer& trainer) {
    if (measures_.empty()) measures_ = automatic(trainer);
    if (measures_.empty()) return false;
    for (const auto& log : measures_)
      if (trainer.logs().find(log) == nullptr) missing(trainer, log);
    if (!state_) {
      smaller_ = smaller_is_better(options.criterion, measures_.front());
      make_state();
    }
    return true;
  }
  [[noreturn]] void missing(const Trainer& trainer, const std::string& log) const {
    std::vector<std::string> known;
    for (const auto& [path, values] : trainer.logs().all()) known.push_back(path);
    raise<ConfigError>("hook '", name(), "': nothing logs '", log, "'", did_you_mean(log, known),
                       known.empty() ? "" : "; logs are: " + join(known));
  }
  // The worst of the last entries.
  double measured(const Trainer& trainer) const {
    double worst = trainer.logs().find(measures_.front())->back();
    for (const auto& log : measures_) {
      const double v = trainer.logs().find(log)->back();
      worst = smaller_ ? std::max(worst, v) : std::min(worst, v);
    }
    return worst;
  }
  void set_masks(Trainer& trainer, double sparsity) {
    change_masks(trainer, selection_of(options, sparsity, options.compat), options.iter_name, 0, nullptr);
    trainer.say(concat(name(), ": sparsity is now ", sparsity, " %"));
  }
  void restore(Trainer& trainer) {
    best_.restore(trainer.network());
    forget_masked(trainer.stepper(), trainer.network());
    trainer.say(concat(name(), " puts the best weights back, ", state_->sparsity(), " % sparse"));
  }

  std::vector<std::string> measures_;
  bool smaller_ = false;
  std::optional<SparsificationState> state_;
  MaskedSnapshot best_;
  std::vector<HostArray> pending_;
};

}  // namespace

void register_active_sparsification(Catalog& catalog) { catalog.of<Hook>().add<ActiveSparsification>(); }

}  // namespace squall
