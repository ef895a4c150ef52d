#include "experiment/check_on_network.hpp"

#include <algorithm>

#include "squall/core/nearest.hpp"
#include "squall/tools/run.hpp"

namespace squall {

namespace {

template <class F>
void try_and_report(const std::string& where, Problems& problems, F&& f) {
  try {
    f();
  } catch (const Error& e) {
    problems.add(where, e);
  }
}

void check_tasks(Experiment& e, const Graph& graph, const Catalog& catalog, Problems& problems) {
  for (auto& named : e.tasks) {
    const std::string where = "tasks." + named.first;
    if (!named.second.scorers.is_array() && !named.second.scorers.is_object()) {
      problems.add(where + ".scorers", "should be a list of scorers, not " + named.second.scorers.dump());
      continue;
    }
    try_and_report(where, problems, [&] {
      const auto made = make_tasks({named}, {named.first}, graph, catalog);
      named.second.loss = made.at(0).loss;
      named.second.output = made.at(0).output;
      const auto inputs = needed_inputs({made.at(0).loss}, graph);
      if (std::ranges::find(inputs, made.at(0).input) == inputs.end())
        problems.add(where + ".loss", concat("'", made.at(0).loss, "' does not depend on Input.", made.at(0).input,
                                             ", which the task feeds; it needs ", join(inputs)));
    });
  }
}

void check_groups(const StageOptions& stage, const std::string& where, const Graph& graph, const Catalog& catalog,
                  Problems& problems) {
  Problems told_before;
  const auto rule = catalog.of<UpdateRule>().make(stage.stepper, where, catalog, told_before);
  if (!rule) return;
  for (const auto& group : rule->groups()) {
    const bool used = std::ranges::any_of(graph.nodes(), [&](const Node& node) {
      return std::ranges::any_of(node.parameters, [&](const ParameterInfo& p) {
        return matches(group.pattern, node.name) || matches(group.pattern, concat(node.name, ".", p.name));
      });
    });
    if (!used)
      problems.add(where + ".groups", concat("the pattern '", group.pattern, "' matches no layer and no parameter",
                                             did_you_mean(group.pattern, graph.names())));
  }
}

}  // namespace

void check_on_network(Experiment& e, const Catalog& catalog, Problems& problems) {
  std::optional<Graph> graph;
  try_and_report("", problems, [&] { graph.emplace(e.architecture, catalog); });
  if (!graph) return;
  if (!e.initialize.is_null()) check_initializers(*graph, catalog, e.initialize, "initialize", problems);
  check_tasks(e, *graph, catalog, problems);
  const bool list = e.source.contains("train") && e.source["train"].is_object() && e.source["train"].contains("stages");
  for (std::size_t i = 0; i < e.stages.size(); ++i) {
    const StageOptions& stage = e.stages[i];
    const std::string where = list ? concat("train.stages.", i) : "train";
    check_frozen(*graph, stage.frozen, where + ".frozen", problems);
    check_modifiers(*graph, catalog, stage.weight_modifiers, where + ".weight_modifiers", false, problems);
    check_modifiers(*graph, catalog, stage.gradient_modifiers, where + ".gradient_modifiers", true, problems);
    check_groups(stage, where + ".stepper", *graph, catalog, problems);
  }
}

}  // namespace squall
