#include <algorithm>

#include "conformance/kinds.hpp"

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

// brainstorm's flat vector: layers by name, in each the parameters as declared; its BatchNorm counts statistics, too.
void set_flat(Network& network, const HostArray& flat) {
  auto names = network.graph().names();
  std::ranges::sort(names);
  Index next = 0;
  const auto take = [&](const std::string& path, const Shape& shape) {
    if (next + shape.elements() > flat.elements()) raise<DataError>("flat_parameters_before is too short");
    HostArray part(DType::F64, shape);
    for (Index i = 0; i < part.elements(); ++i) part.set_value(i, flat.value(next + i));
    next += part.elements();
    network.set_parameter(path, part);
  };
  for (const auto& name : names) {
    const Node& node = network.graph().node(network.graph().find(name));
    for (const auto& p : node.parameters) take(name + "." + p.name, p.shape);
    for (const auto& s : node.states) take(name + "." + s.name, s.shape);
  }
  if (next != flat.elements())
    raise<DataError>("flat_parameters_before has ", flat.elements(), " numbers, the network ", next);
}

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

void compare_gradients(const H5Reader& file, const Network& network, Comparison& c) {
  for (const auto& layer : file.children("/layers")) {
    const std::string group = "/layers/" + layer;
    for (const auto& name :
         file.exists(group + "/gradients") ? file.children(group + "/gradients") : std::vector<std::string>{}) {
      const int n = network.graph().find(layer);
      if (n >= 0 && network.graph().node(n).find_parameter(name) >= 0)
        c.tensor(layer + ".gradients." + name, network.get(layer + ".gradients." + name),
                 file.read(group + "/gradients/" + name));
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

}  // namespace

void replay_pass(const H5Reader& file, const Catalog& catalog, const std::shared_ptr<Handler>& handler, Comparison& c) {
  auto network = recorded_network(file, catalog, handler);
  set_flat(*network, file.read("/flat_parameters_before"));
  Batch batch;
  for (const auto& name : file.children("/inputs")) batch.fields.emplace_back(name, file.read("/inputs/" + name));
  network->provide(batch);
  for (const auto& layer : network->graph().names()) {
    const std::string mask = "/layers/" + layer + "/internals/mask";
    if (network->graph().node(network->graph().find(layer)).layer->type() == "Dropout" && file.exists(mask))
      network->give_internal(layer + ".mask", file.read(mask, DType::U8));
  }
  // Outside training the original runs backward, too; that is meaningful only without layers that differ there.
  const bool training = file.attribute_int("/", "training_pass") != 0;
  const bool differs = std::ranges::any_of(network->graph().nodes(), [](const Node& n) {
    return n.layer->type() == "BatchNorm" || n.layer->type() == "Dropout";
  });
  const bool backward = training || !differs;
  network->forward(network->pass(backward ? Mode::Train : Mode::Eval));
  compare_outputs(file, "/layers", *network, c);
  compare_losses(*network, parse_json(file.attribute_text("/", "losses"), "losses"), c);
  if (backward) {
    network->backward();
    compare_gradients(file, *network, c);
  }
  if (!file.exists("/test_pass")) return;
  network->forward(network->pass(Mode::Eval));
  compare_outputs(file, "/test_pass", *network, c);
  compare_losses(*network, parse_json(file.attribute_text("/", "test_pass_losses"), "test_pass_losses"), c);
}

}  // namespace squall::conformance
