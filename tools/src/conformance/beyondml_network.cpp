#include "conformance/beyondml_network.hpp"

#include <algorithm>
#include <set>

#include "conformance/recorded_loss.hpp"
#include "squall/tools/catalog.hpp"
#include "squall/training/mask_memory.hpp"

namespace squall::conformance {

namespace {

std::string task_name(std::size_t i) { return concat("t", i); }

bool is_multi(const std::string& type) { return type.starts_with("Multi"); }
bool is_list(const std::string& type) { return is_multi(type) || type == "SelectorLayer" || type == "SumLayer"; }
bool is_dense(const std::string& type) { return type.ends_with("Dense"); }
int axes_of(const std::string& type) { return type.ends_with("3D") ? 3 : type.ends_with("2D") ? 2 : 0; }
bool is_attention(const std::string& type) { return type == "MaskedMultiHeadAttention"; }
bool is_convolution(const std::string& type) { return type.find("Conv") != std::string::npos; }

}  // namespace

json json_attribute(const H5Reader& file, const char* name) {
  return file.has_attribute("/", name) ? parse_json(file.attribute_text("/", name), name) : json();
}

json stepper_of(const json& o) {
  const std::string name = o.at("name").get<std::string>();
  // Keras scales what it sums up, PyTorch the sum; at a constant rate that is the same.
  if (name == "sgd")
    return {{"@type", "Sgd"}, {"learning_rate", o["learning_rate"]}, {"momentum", o.value("momentum", 0.0)}};
  if (name != "adam") raise<ConfigError>("the optimizer ", name, " is not known");
  const bool before = o.value("epsilon_placement", "") == "before bias correction";
  return {{"@type", "Adam"},         {"learning_rate", o["learning_rate"]},
          {"beta1", o["beta_1"]},    {"beta2", o["beta_2"]},
          {"epsilon", o["epsilon"]}, {"epsilon_placement", before ? "before" : "after"}};
}

RecordedNetwork::RecordedNetwork(const H5Reader& file, const std::shared_ptr<Handler>& handler,
                                 const std::string& stage)
    : file_(file),
      stage_(stage),
      torch_(file.attribute_text("/", "flavour") == "torch"),
      catalog_(make_catalog()),
      nodes_(json_attribute(file, "architecture")) {
  register_recorded_loss(catalog_);
  build();
  add_losses();
  architecture_.input(shapes_);
  for (const auto& c : connections_) architecture_.connect(c);
  network_ = std::make_unique<Network>(architecture_, catalog_, handler);
  for (auto& task : tasks_)
    if (task.loss.empty()) complete_task(task, network_->graph());
  set_state("/" + stage);
}

const json& RecordedNetwork::node_named(const std::string& name) const {
  for (const auto& node : nodes_)
    if (node["name"] == name) return node;
  raise<DataError>("there is no node ", name);
}

void RecordedNetwork::build() {
  for (const auto& node : nodes_) {
    const std::string name = node["name"].get<std::string>(), type = node["layer"].get<std::string>();
    if (type == "Input") {
      shapes_[name] = {"T", "B"};
      for (const auto& extent : node["shape"]) shapes_[name].push_back(extent);
      ports_[name] = {{"Input", name}};
      continue;
    }
    std::vector<Port> sources;
    for (const auto& from : node.value("inputs", json::array())) {
      const auto& ports = ports_.at(from.get<std::string>());
      sources.insert(sources.end(), ports.begin(), ports.end());
    }
    add_places(name, type);
    add_node(node, sources.empty() ? invented_sources(name, type) : sources);
  }
}

// Inputs for a layer that was recorded without any, of the size its weights need.
std::vector<RecordedNetwork::Port> RecordedNetwork::invented_sources(const std::string& node, const std::string& type) {
  if (is_attention(type)) {
    shapes_[node] = {"T", "B", node_named(node)["arguments"]["embed_dim"]};
    return {{"Input", node}};
  }
  const Shape all = weights(node).shape();
  const Shape w = is_multi(type) ? all.from(1) : all;
  const int axes = axes_of(type);
  json shape{"T", "B"};
  for (int i = 0; i < axes; ++i) shape.push_back(w[torch_ ? i + 2 : i]);
  shape.push_back(axes > 0 && torch_ ? w[1] : w[-2]);
  std::vector<Port> sources;
  for (Index t = 0; t < (is_multi(type) ? all[0] : 1); ++t) {
    shapes_[concat(node, "_", t)] = shape;
    sources.push_back({"Input", concat(node, "_", t)});
  }
  return sources;
}

// Options by the tensors where the flavour names them otherwise.
json RecordedNetwork::options_of(const json& node) const {
  const std::string name = node["name"].get<std::string>(), type = node["layer"].get<std::string>();
  const json arguments = node.value("arguments", json::object());
  json options = json::object();
  for (const auto* key : {"activation", "padding", "strides", "pool_size", "sel_index", "is_on", "dilation"})
    if (arguments.contains(key) && !arguments[key].is_null()) options[key] = arguments[key];
  if (type == "Activation" || type == "Elementwise") return {{"activation", arguments.at("activation")}};
  if (type.starts_with("MultiMaxPool") && torch_) {
    options["pool_size"] = arguments.at("kernel_size");
    options["strides"] = arguments.value("stride", arguments.at("kernel_size"));
    options["padding"] = arguments.value("padding", json(0));
  }
  if (is_attention(type)) return {{"embed_dim", arguments.at("embed_dim")}, {"num_heads", arguments.at("num_heads")}};
  if (!is_dense(type) && !is_convolution(type)) return options;
  options["use_bias"] = file_.exists("/" + stage_ + "/" + name + "/b");
  const Shape all = weights(name).shape();
  const Shape w = is_multi(type) ? all.from(1) : all;
  if (is_dense(type)) {
    options["units"] = w[-1];
    return options;
  }
  options["filters"] = torch_ ? w[0] : w[-1];
  options["kernel_size"] = json::array();
  for (int i = 0; i < axes_of(type); ++i) options["kernel_size"].push_back(w[torch_ ? i + 2 : i]);
  return options;
}

void RecordedNetwork::add_node(const json& node, const std::vector<Port>& sources) {
  const std::string name = node["name"].get<std::string>();
  std::string type = node["layer"].get<std::string>();
  if (type == "Activation") type = "Elementwise";
  const json options = options_of(node);
  if (is_list(type) || sources.size() == 1) return add_layer(name, type, options, sources);
  for (std::size_t i = 0; i < sources.size(); ++i)  // once for each
    add_layer(name, type, options, {sources[i]});
}

void RecordedNetwork::add_layer(const std::string& name, const std::string& type, json options,
                                const std::vector<Port>& sources) {
  auto& ports = ports_[name];
  const std::string layer = ports.empty() ? name : concat(name, "_", ports.size());
  const bool list = is_list(type);
  if (list) {
    options["tasks"] = json::array();
    for (std::size_t i = 0; i < sources.size(); ++i) options["tasks"].push_back(task_name(i));
  }
  architecture_.add(layer, type, options);
  for (std::size_t i = 0; i < sources.size(); ++i)
    connections_.push_back({sources[i].first, sources[i].second, layer, list ? task_name(i) : "default"});
  if (!is_multi(type)) {
    ports.push_back({layer, "default"});
    return;
  }
  for (std::size_t i = 0; i < sources.size(); ++i) ports.push_back({layer, task_name(i)});
}

void RecordedNetwork::add_places(const std::string& node, const std::string& type) {
  if (is_attention(type))
    for (const auto& [theirs, ours] : {std::pair("in_w", "in_proj_weight"), std::pair("in_b", "in_proj_bias"),
                                       std::pair("out_w", "out_proj_weight"), std::pair("out_b", "out_proj_bias")})
      places_.push_back({node, theirs, concat(node, ".", ours), {}, false});
  if (!is_dense(type) && !is_convolution(type)) return;
  const bool multi = is_multi(type);
  const int first = multi ? 1 : 0;
  Arrange arrange = axis_to_end(first);
  if (is_convolution(type)) arrange = torch_ ? axis_to_end(first + 1) : end_to_axis(first);
  places_.push_back({node, "w", node + ".W", arrange, multi});
  if (file_.exists("/" + stage_ + "/" + node + "/b")) places_.push_back({node, "b", node + ".bias", {}, multi});
}

// Units of the node, or of what it gets its data from.
Index RecordedNetwork::classes_of(std::string node) const {
  for (;;) {
    const json& n = node_named(node);
    const json options = options_of(n);
    if (options.contains("units")) return options["units"].get<Index>();
    if (!n.contains("inputs")) raise<DataError>("nothing tells how many classes ", node, " has");
    node = n["inputs"][0].get<std::string>();
  }
}

void RecordedNetwork::add_losses() {
  const json names = json_attribute(file_, "outputs");
  if (!names.is_array()) return;
  for (const auto& name : names)
    for (const auto& port : ports_.at(name.get<std::string>())) {
      output_nodes_.push_back(name.get<std::string>());
      outputs_.push_back(port.first + "." + port.second);
    }
  const json losses = json_attribute(file_, "losses");
  for (std::size_t i = 0; i < outputs_.size(); ++i) {
    const auto dot = outputs_[i].find('.');
    const std::string kind = losses.is_array() ? losses[i].get<std::string>() : "sum";
    const std::string loss = concat("Loss_", i), field = concat("target_", i);
    losses_.push_back(kind);
    architecture_.add(loss, "RecordedLoss", {{"kind", kind}});
    connections_.push_back({outputs_[i].substr(0, dot), outputs_[i].substr(dot + 1), loss, "default"});
    Task task;
    task.name = concat("t", i);
    task.loss = loss;
    task.output = outputs_[i];
    if (kind != "sum") {
      shapes_[field] = {"T", "B", classes_of(output_nodes_[i])};
      connections_.push_back({"Input", field, loss, "targets"});
      task.targets = field;
    }
    for (const auto& [input, shape] : shapes_.items())
      if (!input.starts_with("target_")) task.input = input;  // all have the same examples
    tasks_.push_back(task);
  }
}

}  // namespace squall::conformance
