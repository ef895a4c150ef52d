// Stops when the process gets SIGQUIT (Ctrl-\ in a terminal).
#include <signal.h>

#include <atomic>

#include "squall/training/trainer.hpp"

namespace squall {

namespace {

// A signal handler can reach nothing but an object with static storage.
std::atomic<int> quit_signals{0};

extern "C" void on_quit(int) { quit_signals.fetch_add(1); }

struct StopOnSigQuitOptions : HookOptions {
  static constexpr auto fields = hook_fields<StopOnSigQuitOptions>();
};

class StopOnSigQuit final : public HookOf<StopOnSigQuit, StopOnSigQuitOptions> {
 public:
  static constexpr std::string_view kType = "StopOnSigQuit";
  static constexpr std::string_view kDoc =
      "Stops at its next turn after SIGQUIT (Ctrl-\\ in a terminal), as if training had been over.";
  HookStage stage() const override { return HookStage::Judge; }
  ~StopOnSigQuit() override { release(); }
  void start(Trainer&) override {
    seen_ = quit_signals.load();
    if (installed_) return;
    struct sigaction action {};
    action.sa_handler = on_quit;
    action.sa_flags = SA_RESTART;
    sigemptyset(&action.sa_mask);
    installed_ = sigaction(SIGQUIT, &action, &before_) == 0;
  }
  Verdict run(Trainer&, const Progress&) override {
    return quit_signals.load() != seen_ ? Verdict::Stop : Verdict::Continue;
  }
  void finish(Trainer&) override { release(); }

 private:
  void release() {
    if (installed_) sigaction(SIGQUIT, &before_, nullptr);
    installed_ = false;
  }
  struct sigaction before_ {};
  bool installed_ = false;
  int seen_ = 0;
};

}  // namespace

void register_stop_on_sig_quit(Catalog& catalog) { catalog.of<Hook>().add<StopOnSigQuit>(); }

}  // namespace squall
