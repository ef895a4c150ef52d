#include "cli/dry_run.hpp"

#include <fmt/format.h>

#include "squall/tools/run.hpp"

namespace squall::cli {

namespace {

std::string shapes(const Node& node, const Symbols& names) {
  std::string text;
  for (const auto& o : node.outputs) text += (text.empty() ? "" : " ") + o.name + o.shape.text(names);
  return text;
}

Index parameters_of(const Node& node) {
  Index count = 0;
  for (const auto& p : node.parameters) count += p.shape.elements();
  return count;
}

}  // namespace

std::string network_table(const Network& network) {
  std::string text = fmt::format("{:<20}{:<20}{:>12}  {}\n", "layer", "type", "parameters", "outputs");
  for (const auto& node : network.graph().nodes())
    text += fmt::format("{:<20}{:<20}{:>12}  {}\n", node.name, node.layer->type(), parameters_of(node),
                        shapes(node, network.graph().symbols()));
  return text + fmt::format("{} parameters\n", network.parameter_count());
}

json network_json(const Network& network) {
  json layers = json::array();
  for (const auto& node : network.graph().nodes()) {
    json layer = {{"layer", node.name}, {"type", std::string(node.layer->type())}, {"parameters", parameters_of(node)}};
    for (const auto& o : node.outputs) layer["outputs"][o.name] = o.shape.text(network.graph().symbols());
    for (const auto& p : node.parameters) layer["shapes"][p.name] = p.shape.text();
    layers.push_back(layer);
  }
  return layers;
}

int dry_run(const Experiment& experiment, const Context& c) {
  Network network(experiment.architecture, c.catalog, c.make_handler());
  if (!experiment.initialize.is_null()) network.initialize(experiment.initialize, experiment.seed);
  json result = {{"layers", network_json(network)}, {"parameters", network.parameter_count()}};
  std::string text = network_table(network);
  result["stages"] = json::array();
  for (const auto& stage : experiment.stages) {
    const auto tasks = make_tasks(experiment.tasks, stage.tasks, network.graph(), c.catalog);
    const PassId pass = network.pass(Mode::Train, task_heads(tasks, network.graph()));
    std::vector<std::pair<std::string, Index>> sizes;
    for (int s = 0; s < network.graph().symbols().size(); ++s) {
      const std::string& name = network.graph().symbols().name(s);
      sizes.emplace_back(name, name.starts_with('B') ? stage.batch_size : 1);
    }
    const Layout layout = network.plan_memory(pass, sizes);
    const double flops = 6.0 * static_cast<double>(network.parameter_count()) * static_cast<double>(stage.batch_size);
    result["stages"].push_back({{"batch_size", stage.batch_size},
                                {"arena_bytes", layout.arena_bytes},
                                {"lower_bound_bytes", layout.lower_bound_bytes},
                                {"parameter_bytes", network.store().bytes()},
                                {"dense_flops_at_least", flops}});
    text += fmt::format(
        "batch {}: {} bytes of activations (lower bound {}), {} bytes of parameters and gradients, at least "
        "{:.3g} FLOP per step\n",
        stage.batch_size, layout.arena_bytes, layout.lower_bound_bytes, network.store().bytes(), flops);
  }
  c.print(result, text);
  return 0;
}

}  // namespace squall::cli
