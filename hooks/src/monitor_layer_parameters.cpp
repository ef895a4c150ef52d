// Statistics of the parameters of a layer.
#include "support/layer_monitor.hpp"

namespace squall {

namespace {

class MonitorLayerParameters final : public LayerMonitor<MonitorLayerParameters> {
 public:
  static constexpr std::string_view kType = "MonitorLayerParameters", kPrefix = "MonitorParameters_";
  static constexpr std::string_view kDoc =
      "Smallest, mean and largest value of each parameter of a layer, and of the norms of its rows; logged under "
      "MonitorParameters_LAYER.";
  Verdict run(Trainer& trainer, const Progress&) override {
    log_statistics(trainer, name(), options.layer_name, BufferKind::Parameters, true);
    return Verdict::Continue;
  }
};

}  // namespace

void register_monitor_layer_parameters(Catalog& catalog) { catalog.of<Hook>().add<MonitorLayerParameters>(); }

}  // namespace squall
