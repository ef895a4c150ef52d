#include "squall/tools/extract_task.hpp"

#include <algorithm>

namespace squall {

namespace {

std::size_t at(int i) { return static_cast<std::size_t>(i); }

std::vector<std::string> active_tasks(const Node& node, const NodePlan& plan) {
  std::vector<std::string> kept;
  for (std::size_t o = 0; o < node.tasks.size(); ++o)
    if (plan.output_active[o]) kept.push_back(node.tasks[o]);
  return kept;
}

// Options of a layer of which only some slots remain.
json reduced_options(const LayerSpec& spec, const Node& node, const NodePlan& plan) {
  json options = spec.options;
  if (spec.type == "Input") {
    json shapes = json::object();
    for (std::size_t o = 0; o < node.outputs.size(); ++o)
      if (plan.output_active[o]) shapes[node.outputs[o].name] = spec.options["out_shapes"][node.outputs[o].name];
    options["out_shapes"] = shapes;
  } else if (!node.tasks.empty() && options.contains("tasks")) {
    options["tasks"] = active_tasks(node, plan);
  } else if (options.contains("tasks")) {  // a selector: reads some of its inputs
    json kept = json::array();
    for (std::size_t i = 0; i < node.inputs.size(); ++i)
      if (plan.input_active[i]) kept.push_back(node.inputs[i].name);
    options["tasks"] = kept;
    if (options.contains("sel_index")) options["sel_index"] = 0;
  }
  return options;
}

bool connection_needed(const Graph& graph, const PassPlan& plan, const Connection& c) {
  const int to = graph.find(c.to);
  const int input = graph.node(to).find_input(c.input);
  return plan.nodes[at(to)].forward && input >= 0 && plan.nodes[at(to)].input_active[at(input)];
}

HostArray slice_of(const HostArray& all, Index index) { return HostArray::copy_of(ConstTensor(all.view()).at(index)); }

}  // namespace

Architecture reduce_architecture(const Network& network, const std::vector<std::string>& heads) {
  const Graph& graph = network.graph();
  PassRequest request;
  request.heads = heads;
  const PassPlan plan = plan_pass(graph, request);
  Architecture out;
  for (const auto& spec : network.architecture().layers()) {
    const int n = graph.find(spec.name);
    if (!plan.nodes[at(n)].forward && spec.type != "Input") continue;
    out.add(spec.name, spec.type, reduced_options(spec, graph.node(n), plan.nodes[at(n)]));
  }
  for (const auto& c : network.architecture().connections())
    if (out.find(c.from) != nullptr && out.find(c.to) != nullptr && connection_needed(graph, plan, c)) out.connect(c);
  return out;
}

void copy_parameters(const Network& whole, Network& part) {
  const ParameterStore& from = whole.store();
  for (const auto& target : part.store().entries()) {
    const Node& node = part.graph().node(target.node);
    const int n = whole.graph().find(node.name);
    const Node& old = whole.graph().node(n);
    const ParameterEntry& source = from.entry(n, old.find_parameter(target.info->name));
    ParameterEntry& entry = *part.store().find(node.name, target.info->name);
    std::vector<Index> slots;
    for (const auto& task : node.tasks)
      slots.push_back(static_cast<Index>(std::ranges::find(old.tasks, task) - old.tasks.begin()));
    if (source.form == ParameterForm::Stored) {
      std::vector<PackedWeight> slices;
      if (!source.info->task_axis) slices = source.packed;
      for (const Index s : slots)
        if (source.info->task_axis) slices.push_back(source.packed[static_cast<std::size_t>(s)]);
      part.store().set_stored(entry, std::move(slices));
      continue;
    }
    HostArray values = from.get(source);
    auto mask = from.mask(source);
    if (source.info->task_axis) {
      HostArray chosen(values.dtype(), entry.info->shape);
      HostArray chosen_mask(DType::U8, entry.info->shape);
      for (std::size_t k = 0; k < slots.size(); ++k) {
        const HostArray v = slice_of(values, slots[k]);
        std::memcpy(chosen.view().at(static_cast<Index>(k)).data(), v.data(), v.bytes());
        if (!mask) continue;
        const HostArray m = slice_of(*mask, slots[k]);
        std::memcpy(chosen_mask.view().at(static_cast<Index>(k)).data(), m.data(), m.bytes());
      }
      values = std::move(chosen);
      if (mask) mask = std::move(chosen_mask);
    }
    if (mask) part.store().set_mask(entry, *mask);
    part.store().set(entry, values);
  }
  for (int n = 0; n < part.graph().size(); ++n)
    for (const auto& state : part.graph().node(n).states) {
      const std::string path = part.graph().node(n).name + ".state." + state.name;
      part.set_parameter(path, whole.get(path));
    }
}

std::unique_ptr<Network> extract_task(const Network& whole, const Task& task) {
  std::vector<std::string> heads{task.loss};
  if (!task.output.empty()) heads.push_back(task.output);
  auto part = std::make_unique<Network>(reduce_architecture(whole, heads), whole.catalog(), whole.handler_pointer());
  copy_parameters(whole, *part);
  return part;
}

}  // namespace squall
