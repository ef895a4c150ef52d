// Logs how much learned masks leave.
#include "squall/core/masks.hpp"
#include "squall/training/trainer.hpp"

namespace squall {

namespace {

struct MonitorMasksOptions : HookOptions {
  bool layers = false;
  static constexpr auto fields =
      std::tuple_cat(hook_fields<MonitorMasksOptions>(),
                     std::tuple{field("layers", &MonitorMasksOptions::layers, "whether each layer is logged, too")});
};

class MonitorMasks final : public HookOf<MonitorMasks, MonitorMasksOptions> {
 public:
  static constexpr std::string_view kType = "MonitorMasks";
  static constexpr std::string_view kDoc =
      "Logs the number and share of weights that learned masks leave in evaluation: masks.l0, masks.density.";
  void start(Trainer& trainer) override {
    if (masked_parameters(trainer.network()).empty()) raise<ConfigError>("the network has no learned masks");
  }
  Verdict run(Trainer& trainer, const Progress&) override {
    const L0Statistics l0 = l0_statistics(trainer.network());
    trainer.log("masks.l0", static_cast<double>(l0.l0));
    trainer.log("masks.density", share(l0.l0, l0.max_l0));
    if (options.layers)
      for (const auto& one : l0.layers) trainer.log("masks." + one.layer + ".density", share(one.l0, one.max_l0));
    return Verdict::Continue;
  }

 private:
  static double share(Index part, Index whole) {
    return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
  }
};

}  // namespace

void register_monitor_masks(Catalog& catalog) { catalog.of<Hook>().add<MonitorMasks>(); }

}  // namespace squall
