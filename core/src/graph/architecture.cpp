#include "squall/core/architecture.hpp"

#include <algorithm>
#include <set>

namespace squall {

namespace {

bool is_identifier(std::string_view s) {
  if (s.empty() || (s[0] >= '0' && s[0] <= '9')) return false;
  return std::ranges::all_of(
      s, [](char c) { return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); });
}

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
      check_targets(layers, connections);
    }
    problems_.raise_if_any("the network cannot be used");
  }

 private:
  std::string path(std::string_view layer) const { return concat(where_, where_.empty() ? "" : ".", layer); }

  void read_layer(const std::string& name, const json& spec, std::vector<LayerSpec>& layers,
                  std::vector<Connection>& connections) {
    static const std::set<std::string, std::less<>> kReserved{"default", "fallback", "parameters", "gradients"};
    if (!is_identifier(name))
      problems_.add(path(name), "a layer's name consists of letters, digits and _ and does not begin with a digit");
    if (kReserved.contains(name)) problems_.add(path(name), concat("'", name, "' cannot be the name of a layer"));
    if (!spec.is_object()) {
      problems_.add(path(name), concat("should be an object, not ", spec.type_name()));
      return;
    }
    if (!spec.contains("@type") || !spec["@type"].is_string()) {
      problems_.add(path(name), "has no '@type'");
      return;
    }
    LayerSpec layer{name, spec["@type"].get<std::string>(), json::object()};
    for (const auto& [key, value] : spec.items()) {
      if (key == "@outgoing_connections")
        read_connections(name, value, connections);
      else if (key == "@type")
        continue;
      else if (key.starts_with('@'))
        problems_.add(path(name), concat("unknown key '", key, "'; known are @type and @outgoing_connections"));
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

  void check_targets(const std::vector<LayerSpec>& layers, const std::vector<Connection>& connections) {
    std::vector<std::string> names;
    for (const auto& l : layers) names.push_back(l.name);
    for (const auto& c : connections) {
      if (std::ranges::find(names, c.to) == names.end())
        problems_.add(path(c.from) + ".@outgoing_connections",
                      concat("target layer '", c.to, "' does not exist", did_you_mean(c.to, names)));
      if (c.to == "Input")
        problems_.add(path(c.from) + ".@outgoing_connections", "nothing can be connected into Input");
    }
    const auto input = std::ranges::find(layers, "Input", &LayerSpec::name);
    if (input == layers.end())
      problems_.add(where_, "there is no layer 'Input' of type Input");
    else if (input->type != "Input")
      problems_.add(path("Input"), concat("should be of type Input, not ", input->type));
    for (const auto& l : layers)
      if (l.type == "Input" && l.name != "Input")
        problems_.add(path(l.name), "a layer of type Input must be named Input");
  }

  const json& json_;
  std::string where_;
  Problems problems_;
};

}  // namespace

Architecture Architecture::from_json(const json& j, std::string_view where) {
  Architecture a;
  Reader(j, where).read(a.layers_, a.connections_);
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
  if (!is_identifier(name)) raise<ConfigError>("'", name, "' is not a name for a layer: letters, digits and _ only");
  if (find(name) != nullptr) raise<ConfigError>("there are two layers named '", name, "'");
  layers_.push_back({name, type, options.is_null() ? json::object() : options});
  return {this, name, "default", "default"};
}

Port Architecture::operator[](std::string_view layer_dot_port) {
  Port port{this, "", "", ""};
  split_target(std::string(layer_dot_port), port.layer, port.input);
  port.output = port.input;
  if (find(port.layer) == nullptr) {
    std::vector<std::string> names;
    for (const auto& l : layers_) names.push_back(l.name);
    raise<ConfigError>("there is no layer '", port.layer, "'", did_you_mean(port.layer, names));
  }
  return port;
}

void Architecture::connect(const Connection& c) {
  if (find(c.from) == nullptr || find(c.to) == nullptr)
    raise<ConfigError>("cannot connect '", c.from, "' to '", c.to, "': both layers must exist");
  if (std::ranges::find(connections_, c) == connections_.end()) connections_.push_back(c);
}

Port operator>>(const Port& from, const Port& to) {
  if (from.architecture != to.architecture) raise<ConfigError>("cannot connect layers of two architectures");
  to.architecture->connect({from.layer, from.output, to.layer, to.input});
  Port next = to;
  if (next.output == next.input) next.output = "default";
  return next;
}
Port operator-(const Port& port, const std::string& output) {
  Port p = port;
  p.output = output;
  return p;
}
Port operator-(const std::string& input, const Port& port) {
  Port p = port;
  p.input = input;
  return p;
}

}  // namespace squall
