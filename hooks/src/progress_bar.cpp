// Asks for a progress display; whoever observes the trainer draws it.
#include "squall/training/trainer.hpp"

namespace squall {

namespace {

struct ProgressBarOptions : HookOptions {
  static constexpr auto fields = hook_fields<ProgressBarOptions>();
};

class ProgressBar final : public HookOf<ProgressBar, ProgressBarOptions> {
 public:
  static constexpr std::string_view kType = "ProgressBar";
  static constexpr std::string_view kDoc = "A display of the progress of each epoch.";
  Verdict run(Trainer&, const Progress&) override { return Verdict::Continue; }
};

}  // namespace

void register_progress_bar(Catalog& catalog) { catalog.of<Hook>().add<ProgressBar>(); }

}  // namespace squall
