// A line per epoch: a full bar and the time it took. A bar that moves is drawn by whoever observes the trainer.
#include <chrono>

#include "squall/training/progress_bar.hpp"
#include "squall/training/trainer.hpp"

namespace squall {

namespace {

struct ProgressBarOptions : HookOptions {
  static constexpr auto fields = hook_fields<ProgressBarOptions>();
};

class ProgressBar final : public HookOf<ProgressBar, ProgressBarOptions> {
 public:
  static constexpr std::string_view kType = "ProgressBar";
  static constexpr std::string_view kDoc = "Says after each turn how many updates there were and how long they took.";
  void start(Trainer& trainer) override {
    begun_ = std::chrono::steady_clock::now();
    updates_ = trainer.progress().update;
  }
  Verdict run(Trainer& trainer, const Progress& progress) override {
    const auto now = std::chrono::steady_clock::now();
    const double seconds = std::chrono::duration<double>(now - begun_).count();
    if (progress.update > updates_) {
      ProgressBarText bar(1);
      trainer.say(concat("epoch ", progress.epoch, " [", bar.advance(1), "] ", progress.update - updates_,
                         " updates, took ", elapsed_text(seconds)));
    }
    begun_ = now;
    updates_ = progress.update;
    return Verdict::Continue;
  }

 private:
  std::chrono::steady_clock::time_point begun_;
  Index updates_ = 0;
};

}  // namespace

void register_progress_bar(Catalog& catalog) { catalog.of<Hook>().add<ProgressBar>(); }

}  // namespace squall
