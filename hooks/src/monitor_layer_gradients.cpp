// Statistics of the gradients of a layer.
#include "support/layer_monitor.hpp"

namespace squall {

namespace {

class MonitorLayerGradients final : public LayerMonitor<MonitorLayerGradients> {
 public:
  static constexpr std::string_view kType = "MonitorLayerGradients", kPrefix = "MonitorGradients_";
  static constexpr std::string_view kDoc =
      "Smallest, mean and largest gradient of each parameter of a layer in the last update; logged under "
      "MonitorGradients_LAYER.";
  bool reads_gradients() const override { return true; }
  Verdict run(Trainer& trainer, const Progress&) override {
    if (trainer.progress().update > 0) log_statistics(trainer, name(), options.layer_name, BufferKind::Gradients);
    return Verdict::Continue;
  }
};

}  // namespace

void register_monitor_layer_gradients(Catalog& catalog) { catalog.of<Hook>().add<MonitorLayerGradients>(); }

}  // namespace squall
