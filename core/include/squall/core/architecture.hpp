// Networks as text: brainstorm's JSON schema, and the same thing wired in C++.
//
//   Architecture a;
//   a.input({{"default", {"T", "B", 784}}, {"targets", {"T", "B", 1}}});
//   a["Input.default"] >> a.add("Hid", "FullyConnected", {{"size", 100}})
//                      >> a.add("Out", "FullyConnected", {{"size", 10}, {"activation", "linear"}})
//                      >> a.add("Criterion", "SoftmaxCE");
//   a["Input.targets"] >> a["Criterion.targets"];
//   a["Criterion.loss"] >> a.add("Loss", "Loss");
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "squall/core/describe.hpp"
#include "squall/core/json.hpp"

namespace squall {

class Architecture;

// From output `output` of `from` to input `input` of `to`. An output may be "..parameters.W" or "..internals.Ca".
struct Connection {
  std::string from, output, to, input;
  friend auto operator<=>(const Connection&, const Connection&) = default;
};

struct LayerSpec {
  std::string name, type;
  json options;  // without @type and @outgoing_connections
};

// One end of a connection in C++ wiring.
struct Port {
  Architecture* architecture = nullptr;
  std::size_t layer = 0;  // in the order of adding
  std::string input = "default", output = "default";
  bool either_end = false;          // named by operator[]: whichever end of a connection it is used at
  const std::string& name() const;  // of the layer, as it is now
};
Port operator>>(const Port& from, const Port& to);            // connects; gives `to`, to go on from its default output
Port operator-(const Port& port, const std::string& output);  // leave from another output
Port operator-(const std::string& input, const Port& port);   // arrive at another input

class Architecture {
 public:
  Architecture() = default;
  // Checks names, types of keys, targets; throws ConfigError with all problems. `where` prefixes their paths.
  static Architecture from_json(const json& j, std::string_view where = "network");
  json to_json() const;

  const std::vector<LayerSpec>& layers() const { return layers_; }
  const std::vector<Connection>& connections() const { return connections_; }
  const LayerSpec* find(std::string_view name) const;

  Port input(const json& out_shapes);  // adds the layer "Input"
  // Layers of one name are numbered as they were added: NAME_1, NAME_2, ... (a number is left out whose name one other
  // layer was given). So names are final when everything is added; ports stay right.
  Port add(const std::string& name, const std::string& type, const json& options = json::object());
  Port operator[](std::string_view layer_dot_port);  // "Layer" or "Layer.port"; the layer must exist
  void connect(const Connection& c);

 private:
  void number_layers();
  std::vector<LayerSpec> layers_;
  std::vector<std::string> given_names_;  // of layers_, before they were numbered
  std::vector<Connection> connections_;
};

}  // namespace squall
