// Sparsity along a schedule while training goes on.
#include "squall/hooks/changes_masks.hpp"

namespace squall {

namespace {

struct GradualSparsificationOptions : ChangesMasksOptions {
  json schedule = {{"@type", "GradualSparsity"}};
  bool reversible = true;
  std::uint64_t seed = 0;
  static constexpr auto fields =
      std::tuple_cat(hook_fields<GradualSparsificationOptions>(), changes_masks_fields<GradualSparsificationOptions>(),
                     std::tuple{field("schedule", &GradualSparsificationOptions::schedule,
                                      "percent pruned by epoch or update: GradualSparsity (cubic), OneShotSparsity, "
                                      "IterativeSparsity, or any schedule"),
                                field("reversible", &GradualSparsificationOptions::reversible,
                                      "masked weights keep their values, are ranked with the others and can come back"),
                                field("seed", &GradualSparsificationOptions::seed, "of random scores")});
};

class GradualSparsification final : public HookOf<GradualSparsification, GradualSparsificationOptions> {
 public:
  static constexpr std::string_view kType = "GradualSparsification";
  static constexpr std::string_view kDoc = "Sets masks anew whenever a schedule asks for another sparsity.";
  void resolve(const Catalog& catalog, std::string_view where, Problems& problems) {
    schedule_ = catalog.of<Schedule>().make(options.schedule, concat(where, ".schedule"), catalog, problems);
    check_changes_masks(options, catalog, where, problems);
  }
  HookStage stage() const override { return HookStage::Judge; }
  bool changes_masks() const override { return true; }

  void start(Trainer& trainer) override { prepare_masks(trainer); }
  Verdict run(Trainer& trainer, const Progress& progress) override {
    const Index count = options.timescale == Timescale::Epoch ? progress.epoch : progress.update;
    const double sparsity = schedule_->value(count, 1);
    if (!(sparsity >= 0 && sparsity <= 100))
      raise<ConfigError>("hook '", name(), "': its schedule gives a sparsity of ", sparsity,
                         " %; it should be a percentage, 0 to 100");
    if (sparsity != sparsity_ && sparsity > 0) {
      change_masks(trainer, selection_of(options, sparsity, ""), options.iter_name, options.seed,
                   options.reversible ? &memory_ : nullptr);
      sparsity_ = sparsity;
    }
    if (options.timescale == Timescale::Epoch) trainer.log(concat(name(), ".sparsity"), sparsity_);
    return Verdict::Continue;
  }
  void finish(Trainer& trainer) override {
    if (trainer.ended() == Ended::Finished || trainer.ended() == Ended::StoppedByHook) pack_masks(trainer.network());
  }

  json save_state() const override { return {{"sparsity", sparsity_}, {"remembered", memory_.names()}}; }
  void load_state(const json& j) override {
    sparsity_ = j.value("sparsity", 0.0);
    memory_.clear();
    const auto names = j.value("remembered", std::vector<std::string>{});
    if (names.size() == arrays_.size()) memory_.set_arrays(names, arrays_);
    arrays_.clear();
  }
  std::vector<HostArray> save_arrays() const override { return memory_.arrays(); }
  void load_arrays(std::vector<HostArray> arrays) override { arrays_ = std::move(arrays); }

 private:
  std::unique_ptr<Schedule> schedule_;
  double sparsity_ = 0;
  MaskMemory memory_;
  std::vector<HostArray> arrays_;  // loaded before the state that names them
};

}  // namespace

void register_gradual_sparsification(Catalog& catalog) { catalog.of<Hook>().add<GradualSparsification>(); }

}  // namespace squall
