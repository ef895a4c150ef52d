// Stops after so many epochs.
#include "squall/training/trainer.hpp"

namespace squall {

namespace {

struct StopAfterEpochOptions : HookOptions {
  Index max_epochs = 1;
  static constexpr auto fields = std::tuple_cat(hook_fields<StopAfterEpochOptions>(),
                                                std::tuple{field("max_epochs", &StopAfterEpochOptions::max_epochs,
                                                                 "the number of epochs, over all calls of train")});
};

class StopAfterEpoch final : public HookOf<StopAfterEpoch, StopAfterEpochOptions> {
 public:
  static constexpr std::string_view kType = "StopAfterEpoch";
  static constexpr std::string_view kDoc = "Stops after max_epochs epochs.";
  HookStage stage() const override { return HookStage::Judge; }
  Verdict run(Trainer&, const Progress& progress) override {
    return progress.epoch >= options.max_epochs ? Verdict::Stop : Verdict::Continue;
  }
  Verdict still_stopped(Trainer& trainer, const Progress& progress) override { return run(trainer, progress); }
};

}  // namespace

void register_stop_after_epoch(Catalog& catalog) { catalog.of<Hook>().add<StopAfterEpoch>(); }

}  // namespace squall
