#include <algorithm>
#include <cmath>

#include "conformance/kinds.hpp"
#include "squall/core/flat_parameters.hpp"
#include "squall/tools/import_network.hpp"

namespace squall::conformance {

std::unique_ptr<Network> recorded_network(const H5Reader& file, const Catalog& catalog,
                                          const std::shared_ptr<Handler>& handler) {
  NetworkOptions options;
  options.memory = MemoryMode::Inspectable;
  options.wants_deltas = {"Input.*"};
  const json architecture = parse_json(file.text("/architecture"), "architecture");
  return std::make_unique<Network>(Architecture::from_json(architecture), catalog, handler, options);
}

HostArray value_of(const Network& network, const std::string& layer, const std::string& name) {
  const int n = network.graph().find(layer);
  if (n < 0) return {};
  if (network.graph().node(n).find_parameter(name) >= 0) return network.get(layer + ".parameters." + name);
  return network.graph().node(n).find_state(name) >= 0 ? network.get(layer + ".state." + name) : HostArray();
}

namespace {

// Drops the rows of carried state that the original keeps at the end of the time axis.
HostArray real_steps(const HostArray& recorded, const HostArray& ours) {
  if (recorded.shape().rank() == 0 || ours.shape().rank() == 0 || recorded.shape()[0] != ours.shape()[0] + 1)
    return recorded;
  return HostArray::copy_of(ConstTensor(recorded.view()).slice(0, ours.shape()[0]));
}

void compare_outputs(const H5Reader& file, const std::string& root, const Network& network, Comparison& c) {
  for (const auto& layer : file.children(root)) {
    const std::string group = root + "/" + layer + "/outputs";
    if (!file.exists(group)) continue;
    for (const auto& name : file.children(group)) {
      const HostArray ours = network.get(layer + ".outputs." + name);
      c.tensor(layer + ".outputs." + name, ours, real_steps(file.read(group + "/" + name), ours));
    }
  }
}

void compare_losses(const Network& network, const json& recorded, Comparison& c) {
  const LossReport report = network.losses();
  for (const auto& [name, value] : recorded.items()) {
    if (name == "total_loss") {
      c.number("total_loss", report.total, value.get<double>());
      continue;
    }
    for (const auto& one : report.losses)
      if (one.name == name) c.number(name, one.value, value.get<double>());
  }
}

double largest_gradient(const H5Reader& file, const std::string& group) {
  double largest = 0;
  if (file.exists(group))
    for (const auto& name : file.children(group))
      for (const double v : file.read(group + "/" + name).doubles()) largest = std::max(largest, std::abs(v));
  return largest;
}

void compare_gradients(const H5Reader& file, const Network& network, Comparison& c) {
  for (const auto& layer : file.children("/layers")) {
    const std::string group = "/layers/" + layer;
    const double largest = largest_gradient(file, group + "/gradients");  // a bias before BatchNorm has none of its own
    for (const auto& name :
         file.exists(group + "/gradients") ? file.children(group + "/gradients") : std::vector<std::string>{}) {
      const int n = network.graph().find(layer);
      if (n >= 0 && network.graph().node(n).find_parameter(name) >= 0)
        c.tensor(layer + ".gradients." + name, network.get(layer + ".gradients." + name),
                 file.read(group + "/gradients/" + name), largest);
    }
    for (const auto& name :
         file.exists(group + "/parameters") ? file.children(group + "/parameters") : std::vector<std::string>{})
      c.tensor(layer + ".parameters." + name, value_of(network, layer, name), file.read(group + "/parameters/" + name));
  }
  const std::string deltas = "/layers/Input/output_deltas";
  if (!file.exists(deltas)) return;
  for (const auto& name : file.children(deltas)) {
    const HostArray recorded = file.read(deltas + "/" + name);
    c.tensor("Input.output_deltas." + name, network.get("Input.output_deltas." + name).cast(DType::F64), recorded);
  }
}

void feed(const H5Reader& file, Network& network) {
  Batch batch;
  for (const auto& name : file.children("/inputs")) batch.fields.emplace_back(name, file.read("/inputs/" + name));
  network.provide(batch);
  for (const auto& layer : network.graph().names()) {
    const std::string mask = "/layers/" + layer + "/internals/mask";
    if (network.graph().node(network.graph().find(layer)).layer->type() == "Dropout" && file.exists(mask))
      network.give_internal(layer + ".mask", file.read(mask, DType::U8));
  }
}

// Outside training the original runs backward, too; that is meaningful only without layers that differ there.
bool runs_backward(const H5Reader& file, const Network& network) {
  const bool training = file.attribute_int("/", "training_pass") != 0;
  const bool differs = std::ranges::any_of(network.graph().nodes(), [](const Node& n) {
    return n.layer->type() == "BatchNorm" || n.layer->type() == "Dropout";
  });
  return training || !differs;
}

// The same network as the original saved it, imported, gives the same outputs.
void replay_import(const H5Reader& file, const Catalog& catalog, const std::shared_ptr<Handler>& handler,
                   Comparison& c) {
  const auto saved = std::filesystem::path(file.name()).replace_extension(".network.hdf5");
  if (!std::filesystem::exists(saved)) return;
  NetworkOptions options;
  options.memory = MemoryMode::Inspectable;
  const ImportedNetwork imported = import_network(saved, catalog, handler, options);
  Network& network = *imported.network;
  feed(file, network);
  network.forward(network.pass(runs_backward(file, network) ? Mode::Train : Mode::Eval));
  compare_outputs(file, "/layers", network, c);
}

}  // namespace

void replay_pass(const H5Reader& file, const Catalog& catalog, const std::shared_ptr<Handler>& handler, Comparison& c) {
  auto network = recorded_network(file, catalog, handler);
  set_flat_parameters(*network, file.read("/flat_parameters_before"), "flat_parameters_before");
  feed(file, *network);
  const bool backward = runs_backward(file, *network);
  network->forward(network->pass(backward ? Mode::Train : Mode::Eval));
  compare_outputs(file, "/layers", *network, c);
  compare_losses(*network, parse_json(file.attribute_text("/", "losses"), "losses"), c);
  if (backward) {
    network->backward();
    compare_gradients(file, *network, c);
  }
  replay_import(file, catalog, handler, c);
  if (!file.exists("/test_pass")) return;
  network->forward(network->pass(Mode::Eval));
  compare_outputs(file, "/test_pass", *network, c);
  compare_losses(*network, parse_json(file.attribute_text("/", "test_pass_losses"), "test_pass_losses"), c);
}

}  // namespace squall::conformance
