#include "graph/architecture_check.hpp"

#include <algorithm>
#include <array>

namespace squall {

namespace {

bool is_identifier(std::string_view s) {
  if (s.empty() || (s[0] >= '0' && s[0] <= '9')) return false;
  return std::ranges::all_of(
      s, [](char c) { return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); });
}

std::string path_of(std::string_view where, std::string_view layer) {
  return concat(where, where.empty() ? "" : ".", layer);
}

void check_input(const std::vector<LayerSpec>& layers, const std::vector<std::string>& names, std::string_view where,
                 Problems& problems) {
  const auto input = std::ranges::find(layers, "Input", &LayerSpec::name);
  if (input != layers.end() && input->type != "Input")
    problems.add(path_of(where, "Input"), concat("should be of type Input, not ", input->type));
  if (std::ranges::find(names, "Input") == names.end()) problems.add(where, "there is no layer 'Input' of type Input");
  for (const auto& l : layers)
    if (l.type == "Input" && l.name != "Input")
      problems.add(path_of(where, l.name), "a layer of type Input must be named Input, and there is only one");
}

}  // namespace

void check_layer_name(const std::string& name, std::string_view path, Problems& problems) {
  static constexpr std::array<std::string_view, 5> kReserved{"default", "fallback", "parameters", "gradients",
                                                             "total_loss"};
  if (!is_identifier(name))
    problems.add(path, "a layer's name consists of letters, digits and _ and does not begin with a digit");
  if (std::ranges::find(kReserved, name) != kReserved.end())
    problems.add(path, concat("'", name, "' cannot be the name of a layer"));
}

void check_connections(const std::vector<LayerSpec>& layers, const std::vector<Connection>& connections,
                       const std::vector<std::string>& names, std::string_view where, Problems& problems) {
  for (const auto& c : connections) {
    const std::string path = path_of(where, c.from) + ".@outgoing_connections";
    if (std::ranges::find(names, c.to) == names.end())
      problems.add(path, concat("target layer '", c.to, "' does not exist", did_you_mean(c.to, names)));
    if (c.to == "Input") problems.add(path, "nothing can be connected into Input");
  }
  check_input(layers, names, where, problems);
}

}  // namespace squall
