// What the hooks share that log statistics of the buffers of one layer.
#pragma once

#include "squall/training/trainer.hpp"

namespace squall {

struct LayerMonitorOptions : HookOptions {
  std::string layer_name;
  static constexpr auto fields =
      std::tuple_cat(hook_fields<LayerMonitorOptions>(),
                     std::tuple{field("layer_name", &LayerMonitorOptions::layer_name, "the layer that is looked at")});
};

// Names of a layer's parameters, inputs, outputs, internals that hold real numbers.
enum class BufferKind : std::uint8_t { Parameters, Gradients, Inputs, Outputs, Internals, InputDeltas, OutputDeltas };
std::vector<std::string> buffer_paths(const Network& network, const std::string& layer, BufferKind kind);

// Logs PREFIX.KIND.NAME.min, .avg, .max of each; with `norms` also of the Euclidean norms of its rows where it has
// them: PREFIX.KIND.NAME.norm_min, ... Buffers that were not part of the last pass are left out.
void log_statistics(Trainer& trainer, const std::string& prefix, const std::string& layer, BufferKind kind,
                    bool norms = false);

// Whether the last pass was one of training, so that its deltas and gradients are those of this network.
bool trained_last(const Trainer& trainer);

template <class D>
class LayerMonitor : public HookOf<D, LayerMonitorOptions> {
 public:
  void resolve(const Catalog&, std::string_view where, Problems& problems) const {
    if (this->options.layer_name.empty()) problems.add(where, "option 'layer_name' should say which layer");
  }
  HookStage stage() const override { return HookStage::Inspect; }
  std::string name() const override {
    return this->options.name.empty() ? std::string(D::kPrefix) + this->options.layer_name : this->options.name;
  }
  void start(Trainer& trainer) override {
    const Graph& graph = trainer.network().graph();
    const std::string& layer = this->options.layer_name;
    if (graph.find(layer) < 0)
      raise<ConfigError>("there is no layer '", layer, "'", did_you_mean(layer, graph.names()));
    if (this->inspects_buffers() && trainer.network().options().memory == MemoryMode::Compact)
      raise<ConfigError>("buffers of '", layer,
                         "' share memory with others; make the network with MemoryMode::Inspectable");
  }
};

}  // namespace squall
