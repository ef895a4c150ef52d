// Statistics of what goes into a layer and comes out.
#include "support/layer_monitor.hpp"

namespace squall {

namespace {

class MonitorLayerInOuts final : public LayerMonitor<MonitorLayerInOuts> {
 public:
  static constexpr std::string_view kType = "MonitorLayerInOuts", kPrefix = "MonitorInOuts_";
  static constexpr std::string_view kDoc =
      "Smallest, mean and largest number in the inputs and outputs of a layer in the last pass; logged under "
      "MonitorInOuts_LAYER.";
  bool inspects_buffers() const override { return true; }
  Verdict run(Trainer& trainer, const Progress&) override {
    if (trainer.progress().update == 0) return Verdict::Continue;
    for (const BufferKind kind : {BufferKind::Inputs, BufferKind::Outputs})
      log_statistics(trainer, name(), options.layer_name, kind);
    return Verdict::Continue;
  }
};

}  // namespace

void register_monitor_layer_in_outs(Catalog& catalog) { catalog.of<Hook>().add<MonitorLayerInOuts>(); }

}  // namespace squall
