#include "squall/training/task.hpp"

#include <algorithm>
#include <cctype>
#include <set>

#include "squall/core/graph.hpp"

namespace squall {

namespace {

std::size_t at(int i) { return static_cast<std::size_t>(i); }

using Slots = std::set<std::pair<int, int>>;  // node, output

// Everything these outputs are computed from, themselves included.
void ancestors(const Graph& graph, int node, int slot, Slots& seen) {
  if (!seen.insert({node, slot}).second) return;
  for (const int i : graph.node(node).outputs[at(slot)].depends) {
    const Source& s = graph.node(node).inputs[at(i)].source;
    if (s.kind == Source::Kind::Output) ancestors(graph, s.node, s.slot, seen);
  }
}

Slots ancestors_of(const Graph& graph, int node) {
  Slots seen;
  for (int o = 0; o < static_cast<int>(graph.node(node).outputs.size()); ++o) ancestors(graph, node, o, seen);
  return seen;
}

std::set<std::string> data_of(const Graph& graph, const Slots& slots) {
  std::set<std::string> names;
  for (const auto& [node, slot] : slots)
    if (node == 0) names.insert(graph.node(0).outputs[at(slot)].name);
  return names;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

std::vector<std::string> names_of(const Graph& graph, const std::vector<int>& nodes) {
  std::vector<std::string> names;
  for (const int n : nodes) names.push_back(graph.node(n).name);
  return names;
}

void check_input(const Task& task, std::string_view what, const std::string& name, const Graph& graph,
                 std::string_view hint = "") {
  if (graph.node(0).find_output(name) >= 0) return;
  std::vector<std::string> known;
  for (const auto& o : graph.node(0).outputs) known.push_back(o.name);
  raise<ConfigError>("task '", task.name, "': its ", what, " '", name, "' is no output of Input",
                     did_you_mean(name, known), "; outputs are: ", join(known), hint);
}

std::string find_loss(const Task& task, const Graph& graph, bool supervised) {
  std::vector<int> reached, own;  // own: needs nothing of other tasks
  for (const int n : graph.losses()) {
    const auto data = data_of(graph, ancestors_of(graph, n));
    if (!data.contains(task.input) || (supervised && !data.contains(task.targets))) continue;
    reached.push_back(n);
    if (std::ranges::all_of(data,
                            [&](const auto& d) { return d == task.input || d == task.targets || d == task.mask; }))
      own.push_back(n);
  }
  std::vector<int> candidates = own.empty() ? reached : own;
  if (candidates.size() > 1) {
    std::vector<int> named;
    for (const int n : candidates)
      if (lower(graph.node(n).name).find(lower(task.name)) != std::string::npos) named.push_back(n);
    if (named.size() == 1) candidates = named;
  }
  if (candidates.empty())
    raise<ConfigError>("task '", task.name, "': no Loss layer depends on Input.", task.input,
                       supervised ? " and Input." + task.targets : std::string(), "; name one with 'loss'");
  if (candidates.size() > 1)
    raise<ConfigError>("task '", task.name,
                       "': several Loss layers could be its own: ", join(names_of(graph, candidates)),
                       "; name one with 'loss'");
  return graph.node(candidates[0]).name;
}

// "Layer.output" of what can be scored on the way back from a Loss layer; of criteria without predictions what they
// judge.
void find_predictions(const Graph& graph, int node, std::set<int>& seen, std::vector<std::string>& found) {
  for (const auto& input : graph.node(node).inputs) {
    const Source& s = input.source;
    if (s.kind != Source::Kind::Output || s.node == 0 || !seen.insert(s.node).second) continue;
    const Node& before = graph.node(s.node);
    const char* name = before.find_output("predictions") >= 0     ? "predictions"
                       : before.find_output("probabilities") >= 0 ? "probabilities"
                                                                  : nullptr;
    if (name != nullptr) {
      found.push_back(before.name + "." + name);
      continue;
    }
    const int judged = before.find_input("targets") >= 0 ? before.find_input("default") : -1;
    if (judged >= 0 && before.inputs[at(judged)].source.kind == Source::Kind::Output) {
      const Source& o = before.inputs[at(judged)].source;
      found.push_back(graph.node(o.node).name + "." + graph.node(o.node).outputs[at(o.slot)].name);
      continue;
    }
    find_predictions(graph, s.node, seen, found);
  }
}

void check_output(const Task& task, const Graph& graph) {
  const auto dot = task.output.find('.');
  const int n = graph.find(task.output.substr(0, dot));
  if (n < 0)
    raise<ConfigError>("task '", task.name, "': its output '", task.output, "' names no layer",
                       did_you_mean(task.output.substr(0, dot), graph.names()));
  std::vector<std::string> outputs;
  for (const auto& o : graph.node(n).outputs) outputs.push_back(o.name);
  if (dot == std::string::npos)
    raise<ConfigError>("task '", task.name, "': its output should be LAYER.OUTPUT, not '", task.output,
                       "'; outputs of ", task.output, ": ", join(outputs));
  const std::string output = task.output.substr(dot + 1);
  if (graph.node(n).find_output(output) < 0)
    raise<ConfigError>("task '", task.name, "': ", graph.node(n).name, " has no output '", output, "'",
                       did_you_mean(output, outputs), "; it has: ", join(outputs));
}

}  // namespace

void complete_task(Task& task, const Graph& graph) {
  check_input(task, "input", task.input, graph);
  if (!task.mask.empty()) check_input(task, "mask", task.mask, graph);
  const bool supervised = graph.node(0).find_output(task.targets) >= 0;
  if (!supervised && (!task.scorers.empty() || task.targets != Task().targets))
    check_input(task, "targets", task.targets, graph, "; a task without targets has 'scorers' []");
  if (task.loss.empty()) task.loss = find_loss(task, graph, supervised);
  const auto losses = graph.losses();
  const int loss = graph.find(task.loss);
  if (std::ranges::find(losses, loss) == losses.end())
    raise<ConfigError>("task '", task.name, "': there is no Loss layer '", task.loss,
                       "'; Loss layers are: ", join(names_of(graph, losses)));
  if (task.output.empty()) {
    std::set<int> seen;
    std::vector<std::string> found;
    find_predictions(graph, loss, seen, found);
    if (found.size() == 1) task.output = found[0];
    if (found.size() != 1 && !task.scorers.empty())
      raise<ConfigError>("task '", task.name, "': ", found.empty() ? "no layer" : "more than one layer", " before '",
                         task.loss, "' has predictions to score", found.empty() ? "" : ": " + join(found),
                         "; name the output with 'output'");
  }
  if (!task.output.empty()) check_output(task, graph);
}

std::vector<std::string> side_losses(std::span<const Task> tasks, const Graph& graph) {
  std::set<std::string> data;
  std::set<int> own;
  for (const auto& task : tasks) {
    const int loss = graph.find(task.loss);
    own.insert(loss);
    data.merge(data_of(graph, ancestors_of(graph, loss)));
    data.insert(task.input);
  }
  std::vector<std::string> names;
  for (const int n : graph.losses()) {
    const auto needed = data_of(graph, ancestors_of(graph, n));
    const bool served = std::ranges::all_of(needed, [&](const auto& d) { return data.contains(d); });
    if (!own.contains(n) && (tasks.empty() || served)) names.push_back(graph.node(n).name);
  }
  return names;
}

std::vector<std::string> task_heads(std::span<const Task> tasks, const Graph& graph, bool scores) {
  if (tasks.empty()) return {};
  std::vector<std::string> heads;
  for (const auto& task : tasks) {
    heads.push_back(task.loss);
    if (scores && !task.scorers.empty()) heads.push_back(task.output);
  }
  for (auto& name : side_losses(tasks, graph)) heads.push_back(std::move(name));
  return heads;
}

std::vector<std::string> needed_inputs(const std::vector<std::string>& heads, const Graph& graph) {
  Slots seen;
  for (const auto& head : heads) {
    const auto dot = head.find('.');
    const int n = graph.find(head.substr(0, dot));
    if (n < 0) continue;
    if (dot == std::string::npos)
      seen.merge(ancestors_of(graph, n));
    else
      ancestors(graph, n, graph.node(n).find_output(head.substr(dot + 1)), seen);
  }
  if (heads.empty())
    for (int n = 1; n < graph.size(); ++n) seen.merge(ancestors_of(graph, n));
  const auto names = data_of(graph, seen);
  return {names.begin(), names.end()};
}

}  // namespace squall
