// Slices of one network into another, by the names of their tasks.
#include "squall/training/add_tasks.hpp"

#include <algorithm>
#include <cstring>

#include "squall/core/nearest.hpp"

namespace squall {

namespace {

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

std::string name_of(const Network& network, const ParameterEntry& e) {
  return network.graph().node(e.node).name + "." + e.info->name;
}

// For each slice of `into` its slice in `from`, -1 for new tasks.
std::vector<int> places(const std::vector<std::string>& from, const std::vector<std::string>& into) {
  std::vector<int> out;
  for (const auto& task : into) {
    const auto found = std::ranges::find(from, task);
    out.push_back(found == from.end() ? -1 : static_cast<int>(found - from.begin()));
  }
  return out;
}

void copy_slice(const HostArray& from, int source, HostArray& into, std::size_t target) {
  const auto bytes = into.bytes() / at(into.shape()[0]);
  std::memcpy(static_cast<char*>(into.data()) + target * bytes,
              static_cast<const char*>(from.data()) + at(source) * bytes, bytes);
}

HostArray ones(const Shape& shape) {
  HostArray out(DType::U8, shape);
  std::ranges::fill(out.span<std::uint8_t>(), std::uint8_t{1});
  return out;
}

// What slices own, and what they use where that is more; empty for plain parameters.
struct Masks {
  HostArray own, use;
};
Masks masks_of(const Network& network, const ParameterEntry& e) {
  Masks out;
  const auto use = network.store().mask(e);
  if (!use) return out;
  out.own = *use;
  if (e.read.empty() || e.form == ParameterForm::Stored) return out;
  out.use = *use;
  if (e.form == ParameterForm::Masked) out.own = e.mask;
  if (e.form != ParameterForm::Packed) return out;
  const auto owners = e.mask.span<std::uint8_t>();
  auto own = out.own.span<std::uint8_t>();
  for (std::size_t i = 0; i < own.size(); ++i) own[i] = owners[i % owners.size()] == i / owners.size() ? 1 : 0;
  return out;
}

void take_sliced(const Network& from, const ParameterEntry& source, Network& into, ParameterEntry& target) {
  const auto where = places(from.graph().node(source.node).tasks, into.graph().node(target.node).tasks);
  const HostArray old = from.store().get(source).cast(into.handler().dtype());
  HostArray values = into.store().get(target);
  const Masks masks = masks_of(from, source);
  HostArray own = ones(target.info->shape), use = ones(target.info->shape);
  for (std::size_t t = 0; t < where.size(); ++t) {
    if (where[t] < 0) continue;
    copy_slice(old, where[t], values, t);
    if (!masks.own.empty()) copy_slice(masks.own, where[t], own, t);
    if (!masks.own.empty()) copy_slice(masks.use.empty() ? masks.own : masks.use, where[t], use, t);
  }
  into.store().make_plain(target);
  if (!masks.own.empty()) into.store().set_mask(target, own);
  if (!masks.use.empty()) into.store().set_read_mask(target, use);
  into.store().set(target, values);
}

void take_whole(const Network& from, const ParameterEntry& source, Network& into, ParameterEntry& target) {
  into.store().make_plain(target);
  if (const auto mask = from.store().mask(source)) into.store().set_mask(target, *mask);
  into.store().set(target, from.store().get(source));
}

// Empty, or why it cannot be taken.
std::string mismatch(const ParameterEntry* source, const Network& into, const ParameterEntry& target) {
  const std::string name = name_of(into, target);
  if (source == nullptr) return name + " is new";
  if (source->info->task_axis != target.info->task_axis)
    return concat(name, source->info->task_axis ? " had tasks and has none now" : " had no tasks and has them now");
  const bool fits = target.info->task_axis ? source->slice_shape() == target.slice_shape()
                                           : source->info->shape == target.info->shape;
  if (fits) return "";
  return concat(name, " was ", source->info->shape, " and is ", target.info->shape,
                target.info->task_axis ? "; only the number of tasks may differ" : "");
}

void check_tasks(const Network& from, const Network& into, std::vector<std::string>& added) {
  for (const Node& node : into.graph().nodes()) {
    const int n = from.graph().find(node.name);
    if (n < 0 || node.tasks.empty()) continue;
    const auto& old = from.graph().node(n).tasks;
    for (const auto& task : old)
      if (std::ranges::find(node.tasks, task) == node.tasks.end())
        raise<ConfigError>("layer '", node.name, "' has no task '", task, "', which the trained network has",
                           did_you_mean(task, node.tasks), "; a network may get more tasks but lose none; ",
                           "take tasks out with squall convert --task");
    for (const auto& task : node.tasks)
      if (std::ranges::find(old, task) == old.end() && std::ranges::find(added, task) == added.end())
        added.push_back(task);
  }
}

void take_states(const Network& from, Network& into, TakenTasks& taken) {
  for (const Node& node : into.graph().nodes())
    for (const auto& state : node.states) {
      const int n = from.graph().find(node.name);
      const std::string path = node.name + ".state." + state.name;
      const bool there = n >= 0 && std::ranges::any_of(from.graph().node(n).states, [&](const auto& s) {
                           return s.name == state.name && s.shape == state.shape;
                         });
      if (there)
        into.set_parameter(node.name + "." + state.name, from.get(path));
      else
        taken.states.push_back(node.name + "." + state.name + " has no match in the trained network");
    }
}

}  // namespace

bool tasks_differ(const Architecture& from, const Graph& into) {
  for (const LayerSpec& layer : from.layers()) {
    const int n = into.find(layer.name);
    if (n < 0 || into.node(n).tasks.empty() || !layer.options.contains("tasks")) continue;
    if (layer.options["tasks"] != json(into.node(n).tasks)) return true;
  }
  return false;
}

TakenTasks take_tasks(const Network& from, Network& into) {
  TakenTasks taken;
  check_tasks(from, into, taken.added);
  into.store().spread_all();
  std::vector<std::pair<std::string, std::string>> names;
  for (const auto& e : into.store().entries()) names.emplace_back(into.graph().node(e.node).name, e.info->name);
  for (const auto& [layer, parameter] : names) {
    ParameterEntry& target = *into.store().find(layer, parameter);
    const int n = from.graph().find(layer);
    const int k = n < 0 ? -1 : from.graph().node(n).find_parameter(parameter);
    const ParameterEntry* source = k < 0 ? nullptr : &from.store().entry(n, k);
    if (const std::string why = mismatch(source, into, target); !why.empty())
      taken.parameters.push_back(why);
    else if (target.info->task_axis)
      take_sliced(from, *source, into, target);
    else
      take_whole(from, *source, into, target);
  }
  take_states(from, into, taken);
  return taken;
}

}  // namespace squall
