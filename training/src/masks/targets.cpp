#include "masks/targets.hpp"

#include <algorithm>

namespace squall::masks {

namespace {

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

PassPlan plan_of(const Network& network, const std::string& loss) {
  PassRequest request;
  request.mode = Mode::Train;
  request.heads = {loss};
  request.frozen = network.options().frozen;
  return plan_pass(network.graph(), request);
}

// Slices of a parameter that a pass trains: {-1} for the whole tensor.
std::vector<int> trained_slices(const PassPlan& plan, const Graph& graph, int node, int slot) {
  const NodePlan& p = plan.nodes[at(node)];
  std::vector<int> out;
  if (p.gradient[at(slot)] == NodePlan::Send::Nothing) return out;
  const ParameterInfo& info = graph.node(node).parameters[at(slot)];
  if (!info.task_axis) {
    if (p.backward) out.push_back(-1);
    return out;
  }
  for (int t = 0; t < static_cast<int>(info.shape[0]); ++t)
    if (p.has_delta[at(t)]) out.push_back(t);
  return out;
}

std::string slice_name(const Node& node, const ParameterInfo& info, int slice) {
  std::string path = node.name + "." + info.name;
  if (slice < 0) return path;
  return path + "[" + (at(slice) < node.tasks.size() ? node.tasks[at(slice)] : std::to_string(slice)) + "]";
}

Target make_target(const Graph& graph, int n, int slot, int slice) {
  const Node& node = graph.node(n);
  const ParameterInfo& info = node.parameters[at(slot)];
  const Shape shape = slice < 0 ? info.shape : info.shape.from(1);
  Target t;
  t.node = n;
  t.slot = slot;
  t.slice = slice;
  t.name = slice_name(node, info, slice);
  t.stream = "score/" + t.name;
  t.bias = info.bias;
  t.rows = info.bias || shape.rank() < 2 ? 1 : shape[0];
  t.columns = t.rows > 0 ? shape.elements() / t.rows : 0;
  return t;
}

bool has_maskable(const Node& node) {
  return std::ranges::any_of(node.parameters, [](const auto& p) { return p.maskable && !p.bias; });
}

// Adds `task` to all it reaches; gives whether there was a maskable weight.
bool collect(const Network& network, const PassPlan& plan, std::size_t task, bool biases, std::vector<Target>& out) {
  const Graph& graph = network.graph();
  bool any = false;
  for (int n = 1; n < graph.size(); ++n) {
    const Node& node = graph.node(n);
    if (!has_maskable(node)) continue;
    for (int k = 0; k < static_cast<int>(node.parameters.size()); ++k) {
      const ParameterInfo& info = node.parameters[at(k)];
      if (info.bias ? !biases : !info.maskable) continue;
      for (const int slice : trained_slices(plan, graph, n, k)) {
        any = any || !info.bias;
        const auto found =
            std::ranges::find_if(out, [&](const Target& t) { return t.node == n && t.slot == k && t.slice == slice; });
        if (found != out.end()) {
          found->tasks.push_back(task);
          continue;
        }
        out.push_back(make_target(graph, n, k, slice));
        out.back().tasks.push_back(task);
      }
    }
  }
  return any;
}

void refuse_stored(const Network& network, std::span<const Target> targets) {
  for (const auto& t : targets)
    if (network.store().entry(t.node, t.slot).form == ParameterForm::Stored)
      raise<ConfigError>("sparsify: ", t.name, " is stored for inference; convert the model to masked form first");
}

}  // namespace

bool is_chosen(const ParameterEntry& entry, int slice) {
  if (entry.form == ParameterForm::Plain) return false;
  if (entry.form != ParameterForm::Masked || slice < 0) return true;
  const auto size = at(entry.slice_shape().elements());
  const auto keep = entry.mask.span<std::uint8_t>().subspan(at(slice) * size, size);
  return std::ranges::find(keep, std::uint8_t{0}) != keep.end();
}

std::vector<Target> find_targets(const Network& network, std::span<const Task> tasks, bool biases) {
  std::vector<Target> targets;
  for (std::size_t t = 0; t < tasks.size(); ++t)
    if (!collect(network, plan_of(network, tasks[t].loss), t, biases, targets))
      raise<ConfigError>("sparsify: task '", tasks[t].name, "': its loss '", tasks[t].loss,
                         "' reaches no weights that can be masked; use MaskedDense, MultiMaskedDense, ... without "
                         "\"sparsify\": false");
  refuse_stored(network, targets);
  std::ranges::stable_sort(targets, {}, [](const Target& t) { return t.tasks.front(); });
  return targets;
}

void leave_chosen(const Network& network, std::vector<Target>& targets, std::vector<std::string>& warnings) {
  std::erase_if(targets, [&](const Target& t) {
    const bool chosen = is_chosen(network.store().entry(t.node, t.slot), t.slice);
    if (chosen) warnings.push_back(t.name + " has a mask already, which stays");
    return chosen;
  });
}

std::vector<Target> all_targets(const Network& network, std::span<const Task> tasks, bool biases) {
  std::vector<Target> targets;
  const Graph& graph = network.graph();
  for (int n = 1; n < graph.size(); ++n) {
    const Node& node = graph.node(n);
    for (int k = 0; k < static_cast<int>(node.parameters.size()) && has_maskable(node); ++k) {
      const ParameterInfo& info = node.parameters[at(k)];
      if (info.bias ? !biases : !info.maskable) continue;
      if (!info.task_axis) targets.push_back(make_target(graph, n, k, -1));
      for (int t = 0; info.task_axis && t < static_cast<int>(info.shape[0]); ++t)
        targets.push_back(make_target(graph, n, k, t));
    }
  }
  if (targets.empty())
    raise<ConfigError>(
        "sparsify: the network has no weights that can be masked; use MaskedDense, MultiMaskedDense, "
        "... without \"sparsify\": false");
  refuse_stored(network, targets);
  for (std::size_t t = 0; t < tasks.size(); ++t) collect(network, plan_of(network, tasks[t].loss), t, biases, targets);
  return targets;
}

std::vector<std::pair<ParameterKey, int>> waiting_slices(const Network& network, std::span<const Target> masked) {
  std::vector<std::pair<ParameterKey, int>> out;
  for (const auto& e : network.store().entries()) {
    if (e.form != ParameterForm::Masked || !e.info->task_axis) continue;
    for (int t = 0; t < e.tasks(); ++t) {
      const bool now = std::ranges::any_of(
          masked, [&](const Target& m) { return m.node == e.node && m.slot == e.slot && m.slice == t; });
      if (!now && !is_chosen(e, t)) out.push_back({{e.node, e.slot}, t});
    }
  }
  return out;
}

void warn_of_shared(const Network& network, const Task& task, std::vector<std::string>& warnings) {
  const Graph& graph = network.graph();
  const PassPlan own = plan_of(network, task.loss);
  const auto along = side_losses(std::span(&task, 1), graph);
  std::vector<std::string> shared;
  for (const int l : graph.losses()) {
    const std::string& other = graph.node(l).name;
    if (other == task.loss || std::ranges::find(along, other) != along.end()) continue;
    const PassPlan plan = plan_of(network, other);
    for (int n = 1; n < graph.size(); ++n) {
      const Node& node = graph.node(n);
      const auto add = [&](const std::string& name) {
        if (std::ranges::find(shared, name) == shared.end()) shared.push_back(name);
      };
      for (int k = 0; k < static_cast<int>(node.parameters.size()); ++k)
        for (const int slice : trained_slices(own, graph, n, k)) {
          const auto theirs = trained_slices(plan, graph, n, k);
          if (std::ranges::find(theirs, slice) != theirs.end()) add(slice_name(node, node.parameters[at(k)], slice));
        }
      const bool runs_in_both = own.nodes[at(n)].forward && plan.nodes[at(n)].forward;
      for (const auto& state : node.states)
        if (runs_in_both) add(node.name + "." + state.name);
    }
  }
  if (!shared.empty())
    warnings.push_back(concat("training task '", task.name, "' alone also moves ", join(shared),
                              ", which other tasks use; freeze it after the first task"));
}

}  // namespace squall::masks
