#include <algorithm>
#include <set>

#include "squall/core/nearest.hpp"
#include "squall/core/parameters.hpp"
#include "squall/core/pass_plan.hpp"

namespace squall {

namespace {

bool is_leaf(const json& j) { return !j.is_object() || j.contains("@type"); }
bool is_reserved(std::string_view key) { return key == "default" || key == "fallback"; }

void add_once(std::vector<json>& values, const json& value) {
  if (std::ranges::find(values, value) == values.end()) values.push_back(value);
}

class Resolver {
 public:
  Resolver(const Graph& graph, const json& patterns, std::string_view where, Problems& problems)
      : graph_(graph), where_(where), problems_(problems) {
    if (is_leaf(patterns))
      root_["default"] = patterns;
    else
      root_ = patterns;
  }

  std::vector<PatternTarget> run() {
    for (int n = 0; n < graph_.size(); ++n) resolve_layer(n);
    report_unmatched();
    return std::move(targets_);
  }

 private:
  void resolve_layer(int n) {
    const Node& node = graph_.node(n);
    std::vector<std::pair<std::string, const json*>> blocks;  // what applies to this layer
    for (const auto& [key, value] : root_.items()) {
      if (is_reserved(key) || !matches(key, node.name)) continue;
      used_.insert(key);
      blocks.emplace_back(key, &value);
    }
    for (int k = 0; k < static_cast<int>(node.parameters.size()); ++k)
      resolve_leaf(n, k, false, node.parameters[static_cast<std::size_t>(k)].name, blocks);
    for (int k = 0; k < static_cast<int>(node.states.size()); ++k)
      resolve_leaf(n, k, true, node.states[static_cast<std::size_t>(k)].name, blocks);
  }

  void resolve_leaf(int n, int slot, bool state, const std::string& name,
                    const std::vector<std::pair<std::string, const json*>>& blocks) {
    PatternMatch match;
    std::vector<json> defaults;
    // Scores of masks are no part of what is said of a layer as a whole.
    const bool by_name = state || graph_.node(n).parameters[static_cast<std::size_t>(slot)].scores_of >= 0;
    for (const auto& block : blocks) {
      if (is_leaf(*block.second)) {
        if (!by_name) add_once(match.values, *block.second);
        continue;
      }
      apply_block(block.first, *block.second, name, match.values, defaults, match.fallback);
    }
    if (state) {
      if (!match.values.empty()) targets_.push_back({n, slot, true, match});
      return;
    }
    if (match.values.empty()) {
      match.by_default = true;
      if (defaults.empty() && root_.contains("default")) {
        const json& outer = root_["default"];
        if (is_leaf(outer))
          defaults.push_back(outer);
        else
          apply_block("default", outer, name, match.values, defaults, match.fallback);
        match.by_default = match.values.empty();
      }
      if (match.values.empty()) match.values = defaults;
    }
    if (match.fallback.empty() && root_.contains("fallback")) match.fallback.push_back(root_["fallback"]);
    targets_.push_back({n, slot, false, std::move(match)});
  }

  void apply_block(const std::string& key, const json& block, const std::string& name, std::vector<json>& values,
                   std::vector<json>& defaults, std::vector<json>& fallback) {
    for (const auto& [inner, value] : block.items()) {
      inner_seen_.insert(key + "." + inner);
      if (is_reserved(inner)) {
        inner_used_.insert(key + "." + inner);
        add_once(inner == "default" ? defaults : fallback, value);
      } else if (matches(inner, name)) {
        inner_used_.insert(key + "." + inner);
        add_once(values, value);
      }
    }
  }

  void report_unmatched() {
    for (const auto& [key, value] : root_.items()) {
      if (is_reserved(key) || used_.contains(key)) continue;
      problems_.add(where_, concat("pattern '", key, "' matches no layer", did_you_mean(key, graph_.names())));
    }
    for (const auto& path : inner_seen_)
      if (!inner_used_.contains(path)) problems_.add(where_, concat("pattern '", path, "' matches no parameter"));
  }

  const Graph& graph_;
  std::string where_;
  Problems& problems_;
  json root_ = json::object();
  std::vector<PatternTarget> targets_;
  std::set<std::string> used_, inner_seen_, inner_used_;
};

}  // namespace

std::vector<PatternTarget> resolve_patterns(const Graph& graph, const json& patterns, std::string_view where,
                                            Problems& problems) {
  return Resolver(graph, patterns, where, problems).run();
}

}  // namespace squall
