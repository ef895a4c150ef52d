#include "squall/core/masks.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "squall/core/pass_plan.hpp"

namespace squall {

namespace {

bool is_exact(std::string_view pattern) { return pattern.find('*') == std::string_view::npos; }

// What of the patterns reaches a name: the name itself, or else the one pattern that matches.
class Choice {
 public:
  Choice(const json& patterns, std::string_view where, Problems& problems)
      : patterns_(patterns), where_(where), problems_(problems) {}

  const json* of(const std::string& path) {
    if (patterns_.contains(path)) {
      used_[path] = true;
      return &patterns_[path];
    }
    const json* found = nullptr;
    std::string first;
    for (const auto& [pattern, value] : patterns_.items()) {
      if (is_exact(pattern) || !matches(pattern, path)) continue;
      used_[pattern] = true;
      if (found != nullptr && *found != value)
        problems_.add(where_, concat("'", first, "' and '", pattern, "' both reach '", path,
                                     "'; one pattern must decide, or its own name"));
      found = &value;
      first = pattern;
    }
    return found;
  }
  bool used(const std::string& pattern) const { return used_.contains(pattern); }

 private:
  const json& patterns_;
  std::string where_;
  Problems& problems_;
  std::map<std::string, bool> used_;
};

bool has_weights(const Node& node) {
  for (int k = 0; k < static_cast<int>(node.parameters.size()); ++k)
    if (is_weight(node, k)) return true;
  return false;
}

// The masks of one layer as its architecture says them: one for all weights, or by name of parameter.
json masks_of(const Node& node, Choice& choice, const json* whole) {
  json by_name = json::object();
  for (const auto& p : node.parameters)
    if (const json* one = choice.of(node.name + "." + p.name)) by_name[p.name] = *one;
  if (by_name.empty()) return whole != nullptr ? *whole : json();
  if (whole != nullptr) by_name["*"] = *whole;
  return by_name;
}

void report_unused(const Graph& graph, const json& patterns, const Choice& choice, std::string_view where,
                   Problems& problems) {
  for (const auto& [pattern, value] : patterns.items()) {
    if (choice.used(pattern)) continue;
    const std::string& text = pattern;
    const bool any = std::ranges::any_of(graph.nodes(), [&](const Node& n) { return matches(text, n.name); });
    problems.add(where, any ? concat("'", pattern, "' matches only layers that have no weights to mask")
                            : concat("pattern '", pattern, "' matches no layer and no parameter",
                                     did_you_mean(pattern, graph.names())));
  }
}

}  // namespace

Architecture with_masks(const Architecture& architecture, const json& patterns, const Catalog& catalog,
                        std::string_view where, Problems& problems) {
  if (patterns.is_null()) return architecture;
  if (!patterns.is_object() || patterns.contains("@type")) {
    problems.add(where, concat("should be patterns to masks, like {\"*\": {\"@type\": \"HardConcrete\"}}, not ",
                               patterns.dump()));
    return architecture;
  }
  const auto told = problems.all().size();
  for (const auto& [pattern, value] : patterns.items()) {
    const auto mask = catalog.of<LearnedMask>().make(value, concat(where, ".", pattern), catalog, problems);
    if (mask && !mask->problem().empty()) problems.add(concat(where, ".", pattern), mask->problem());
  }
  if (problems.all().size() > told) return architecture;
  const Graph graph(architecture, catalog);
  Choice choice(patterns, where, problems);
  json out = architecture.to_json();
  for (const auto& node : graph.nodes()) {
    if (node.implied || !has_weights(node)) continue;
    const json masks = masks_of(node, choice, choice.of(node.name));
    if (masks.is_null()) continue;
    if (out[node.name].contains("@masks") && out[node.name]["@masks"] != masks)
      problems.add(where, concat("layer '", node.name, "' has masks already"));
    out[node.name]["@masks"] = masks;
  }
  report_unused(graph, patterns, choice, where, problems);
  return Architecture::from_json(out);
}

Architecture with_masks(const Architecture& architecture, const json& patterns, const Catalog& catalog,
                        std::string_view where) {
  Problems problems;
  Architecture out = with_masks(architecture, patterns, catalog, where, problems);
  problems.raise_if_any("the masks cannot be put on");
  return out;
}

std::vector<MaskedParameter> masked_parameters(Network& network) {
  std::vector<MaskedParameter> out;
  for (const auto& e : network.store().entries())
    if (ParameterMask* mask = network.store().learned_mask(e))
      out.push_back({network.graph().node(e.node).name, e.info->name, &e, mask, {}});
  return out;
}

std::vector<MaskedParameter> subnetwork(Network& network) {
  auto out = masked_parameters(network);
  for (auto& one : out)
    one.kept = one.mask->kept(network.store().storage(*one.entry), network.store().scores_of(*one.entry));
  return out;
}

void set_ablation(Network& network, Ablation ablation, bool resample, std::string_view layers) {
  for (auto& one : masked_parameters(network)) {
    if (!matches(layers, one.layer)) continue;
    one.mask->set_ablation(ablation);
    if (resample) one.mask->resample();
  }
}

void set_use_masks(Network& network, bool use, std::string_view layers) {
  for (auto& one : masked_parameters(network))
    if (matches(layers, one.layer)) one.mask->set_use_masks(use);
}

int set_mask_temperature(Network& network, double temperature) {
  int count = 0;
  for (auto& one : masked_parameters(network)) {
    if (!one.mask->rule().annealed()) continue;
    one.mask->set_temperature(temperature);
    ++count;
  }
  return count;
}

double annealed_temperature(double last, Index epochs, Index epoch) {
  return std::pow(last, static_cast<double>(epoch) / static_cast<double>(epochs));
}

L0Statistics l0_statistics(Network& network) {
  L0Statistics out;
  for (const auto& one : masked_parameters(network)) {
    const ParameterStore& store = network.store();
    const Index l0 = one.mask->hard_l0(store.storage(*one.entry), store.scores_of(*one.entry));
    if (out.layers.empty() || out.layers.back().layer != one.layer) out.layers.push_back({one.layer, 0, 0});
    out.layers.back().l0 += l0;
    out.layers.back().max_l0 += one.mask->max_l0();
    out.l0 += l0;
    out.max_l0 += one.mask->max_l0();
  }
  return out;
}

}  // namespace squall
