// Patterns to initializers and modifiers, tried before there is a network with memory.
#include <algorithm>

#include "squall/core/catalog.hpp"
#include "squall/core/parameters.hpp"

namespace squall {

namespace {

std::size_t at(int i) { return static_cast<std::size_t>(i); }

// Tells each wrong value once, with the first parameter that it reaches.
class InitializerTrial {
 public:
  InitializerTrial(const Catalog& catalog, std::string_view where, Problems& problems)
      : catalog_(catalog), where_(where), problems_(problems) {}

  void run(const json& value, const std::string& parameter) {
    if (value.is_number() || value.is_array() || std::ranges::find(tried_, value) != tried_.end()) return;
    tried_.push_back(value);
    Problems own;
    catalog_.of<Initializer>().make(value, "", catalog_, own);
    for (const auto& one : own.all()) problems_.add(where_, concat("parameter '", parameter, "': ", one));
  }

 private:
  const Catalog& catalog_;
  std::string_view where_;
  Problems& problems_;
  std::vector<json> tried_;
};

}  // namespace

void check_initializers(const Graph& graph, const Catalog& catalog, const json& patterns, std::string_view where,
                        Problems& problems) {
  InitializerTrial trial(catalog, where, problems);
  for (const auto& target : resolve_patterns(graph, patterns, where, problems)) {
    const Node& node = graph.node(target.node);
    const bool own = !target.state && target.match.by_default && node.parameters[at(target.slot)].initial.has_value();
    const std::string& name = target.state ? node.states[at(target.slot)].name : node.parameters[at(target.slot)].name;
    const auto count = own ? 1 : target.match.values.size();
    if (count != 1)
      problems.add(where,
                   concat("parameter '", node.name, ".", name, "' has ",
                          count == 0 ? "no initializer" : "several initializers", "; exactly one must reach it"));
    const std::string path = node.name + "." + name;
    for (const auto& value : target.match.values) trial.run(value, path);
    for (const auto& value : target.match.fallback) trial.run(value, path);
  }
}

void check_modifiers(const Graph& graph, const Catalog& catalog, const json& patterns, std::string_view where,
                     bool gradients, Problems& problems) {
  if (patterns.is_null()) return;
  const auto check = [&](const json& description) {
    const auto modifier = catalog.of<Modifier>().make(description, where, catalog, problems);
    if (modifier && !gradients && modifier->only_for_gradients())
      problems.add(where, concat(modifier->type(), " changes gradients; it belongs into gradient_modifiers"));
  };
  for (const auto& target : resolve_patterns(graph, patterns, where, problems)) {
    if (target.state) continue;
    if (!target.match.fallback.empty()) problems.add(where, "'fallback' is for initializers; modifiers have none");
    for (const auto& value : target.match.values) {
      if (!value.is_array()) check(value);
      if (value.is_array())
        for (const auto& one : value) check(one);
    }
  }
}

}  // namespace squall
