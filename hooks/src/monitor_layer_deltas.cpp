// Statistics of what goes back through a layer.
#include "support/layer_monitor.hpp"

namespace squall {

namespace {

class MonitorLayerDeltas final : public LayerMonitor<MonitorLayerDeltas> {
 public:
  static constexpr std::string_view kType = "MonitorLayerDeltas", kPrefix = "MonitorDeltas_";
  static constexpr std::string_view kDoc =
      "Smallest, mean and largest number in the internals and the deltas of a layer in the last update; logged under "
      "MonitorDeltas_LAYER.";
  bool inspects_buffers() const override { return true; }
  Verdict run(Trainer& trainer, const Progress&) override {
    if (!trained_last(trainer)) return Verdict::Continue;
    for (const BufferKind kind : {BufferKind::Internals, BufferKind::OutputDeltas, BufferKind::InputDeltas})
      log_statistics(trainer, name(), options.layer_name, kind);
    return Verdict::Continue;
  }
};

}  // namespace

void register_monitor_layer_deltas(Catalog& catalog) { catalog.of<Hook>().add<MonitorLayerDeltas>(); }

}  // namespace squall
