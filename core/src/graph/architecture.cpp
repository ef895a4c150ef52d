#include "squall/core/architecture.hpp"

#include <algorithm>
#include <map>

#include "graph/architecture_check.hpp"

namespace squall {

namespace {

// "Layer" -> input default, "Layer.input" -> that one.
void split_target(const std::string& target, std::string& layer, std::string& port) {
  const auto dot = target.find('.');
  layer = target.substr(0, dot);
  port = dot == std::string::npos ? "default" : target.substr(dot + 1);
}

class Reader {
 public:
  Reader(const json& j, std::string_view where) : json_(j), where_(where) {}

  void read(std::vector<LayerSpec>& layers, std::vector<Connection>& connections) {
    if (!json_.is_object()) {
      problems_.add(where_, concat("should be an object of layers, not ", json_.type_name()));
    } else {
      for (const auto& [name, spec] : json_.items()) read_layer(name, spec, layers, connections);
      std::vector<std::string> names;
      for (const auto& [name, spec] : json_.items()) names.push_back(name);
      check_connections(layers, connections, names, where_, problems_);
    }
    problems_.raise_if_any("the network cannot be used");
  }

 private:
  std::string path(std::string_view layer) const { return concat(where_, where_.empty() ? "" : ".", layer); }

  void read_layer(const std::string& name, const json& spec, std::vector<LayerSpec>& layers,
                  std::vector<Connection>& connections) {
    check_layer_name(name, path(name), problems_);
    if (!spec.is_object()) {
      problems_.add(path(name), concat("should be an object, not ", spec.type_name()));
      return;
    }
    if (!spec.contains("@type") || !spec["@type"].is_string()) {
      problems_.add(path(name),
                    spec.contains("@type")
                        ? concat("'@type' should be a text like \"FullyConnected\", not ", spec["@type"].dump())
                        : std::string("has no '@type'"));
      return;
    }
    LayerSpec layer{name, spec["@type"].get<std::string>(), json::object()};
    for (const auto& [key, value] : spec.items()) {
      if (key == "@outgoing_connections")
        read_connections(name, value, connections);
      else if (key == "@type")
        continue;
      else if (key.starts_with('@') && key != "@masks")
        problems_.add(path(name), concat("unknown key '", key, "'; known are @type, @outgoing_connections and @masks"));
      else
        layer.options[key] = value;
    }
    layers.push_back(std::move(layer));
  }

  void read_connections(const std::string& from, const json& j, std::vector<Connection>& connections) {
    if (j.is_array()) {
      read_targets(from, "default", j, connections);
    } else if (j.is_object()) {
      for (const auto& [output, targets] : j.items()) read_targets(from, output, targets, connections);
    } else {
      problems_.add(path(from) + ".@outgoing_connections",
                    concat("should be a list of targets or an object of lists, not ", j.type_name()));
    }
  }

  void read_targets(const std::string& from, const std::string& output, const json& targets,
                    std::vector<Connection>& connections) {
    if (!targets.is_array()) {
      problems_.add(path(from) + ".@outgoing_connections." + output,
                    "should be a list of \"Layer\" or \"Layer.input\"");
      return;
    }
    for (const auto& target : targets) {
      if (!target.is_string()) {
        problems_.add(path(from) + ".@outgoing_connections." + output,
                      "a target should be a text, not " + target.dump());
        continue;
      }
      Connection c{from, output, "", ""};
      split_target(target.get<std::string>(), c.to, c.input);
      if (std::ranges::find(connections, c) == connections.end()) connections.push_back(c);
    }
  }

  const json& json_;
  std::string where_;
  Problems problems_;
};

}  // namespace

Architecture Architecture::from_json(const json& j, std::string_view where) {
  Architecture a;
  Reader(j, where).read(a.layers_, a.connections_);
  for (const auto& layer : a.layers_) a.given_names_.push_back(layer.name);
  return a;
}

json Architecture::to_json() const {
  json out = json::object();
  for (const auto& layer : layers_) {
    json spec;
    spec["@type"] = layer.type;
    json outgoing = json::object();
    for (const auto& c : connections_)
      if (c.from == layer.name) outgoing[c.output].push_back(c.to + "." + c.input);
    spec["@outgoing_connections"] = outgoing;
    for (const auto& [key, value] : layer.options.items()) spec[key] = value;
    out[layer.name] = spec;
  }
  return out;
}

const LayerSpec* Architecture::find(std::string_view name) const {
  const auto found = std::ranges::find(layers_, name, &LayerSpec::name);
  return found == layers_.end() ? nullptr : &*found;
}

Port Architecture::input(const json& out_shapes) {
  json options;
  options["out_shapes"] = out_shapes;
  return add("Input", "Input", options);
}

Port Architecture::add(const std::string& name, const std::string& type, const json& options) {
  Problems problems;
  check_layer_name(name, concat("'", name, "'"), problems);
  problems.raise_if_any("the layer cannot be added");
  if (name == "Input" && find(name) != nullptr) raise<ConfigError>("there can be only one layer 'Input'");
  layers_.push_back({name, type, options.is_null() ? json::object() : options});
  given_names_.push_back(name);
  const auto same = std::ranges::count(given_names_, name);
  const bool numbered =
      std::ranges::any_of(layers_, [&](const auto& l) { return &l != &layers_.back() && l.name == name; });
  if (same > 1 || numbered) number_layers();
  return {this, layers_.size() - 1, "default", "default"};
}

void Architecture::number_layers() {
  std::map<std::string, std::vector<std::size_t>> by_name;
  for (std::size_t i = 0; i < given_names_.size(); ++i) by_name[given_names_[i]].push_back(i);
  std::map<std::string, std::string> renamed;  // the layer added last has no connections yet
  for (const auto& [name, members] : by_name) {
    Index number = 0;
    for (const std::size_t i : members) {
      std::string now = name;
      if (members.size() > 1) {
        do {
          now = concat(name, "_", ++number);
        } while (by_name.contains(now) && by_name.at(now).size() == 1);
      }
      if (i + 1 < layers_.size() && now != layers_[i].name) renamed[layers_[i].name] = now;
      layers_[i].name = now;
    }
  }
  for (auto& c : connections_) {
    if (const auto found = renamed.find(c.from); found != renamed.end()) c.from = found->second;
    if (const auto found = renamed.find(c.to); found != renamed.end()) c.to = found->second;
  }
}

const std::string& Port::name() const { return architecture->layers().at(layer).name; }

Port Architecture::operator[](std::string_view layer_dot_port) {
  Port port{this, 0, "", ""};
  std::string layer;
  split_target(std::string(layer_dot_port), layer, port.input);
  port.output = port.input;
  port.either_end = true;
  const LayerSpec* found = find(layer);
  if (found == nullptr) {
    std::vector<std::string> names;
    for (const auto& l : layers_) names.push_back(l.name);
    raise<ConfigError>("there is no layer '", layer, "'", did_you_mean(layer, names));
  }
  port.layer = static_cast<std::size_t>(found - layers_.data());
  return port;
}

void Architecture::connect(const Connection& c) {
  if (find(c.from) == nullptr || find(c.to) == nullptr)
    raise<ConfigError>("cannot connect '", c.from, "' to '", c.to, "': both layers must exist");
  if (std::ranges::find(connections_, c) == connections_.end()) connections_.push_back(c);
}

Port operator>>(const Port& from, const Port& to) {
  if (from.architecture != to.architecture) raise<ConfigError>("cannot connect layers of two architectures");
  to.architecture->connect({from.name(), from.output, to.name(), to.input});
  Port next = to;
  if (next.either_end) next.output = "default";
  return next;
}
Port operator-(const Port& port, const std::string& output) {
  Port p = port;
  p.output = output;
  p.either_end = false;
  return p;
}
Port operator-(const std::string& input, const Port& port) {
  Port p = port;
  if (p.either_end) p.output = "default";
  p.input = input;
  p.either_end = false;
  return p;
}

}  // namespace squall
