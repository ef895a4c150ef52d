// Initialisation and modifiers.
#include <algorithm>

#include "squall/core/network.hpp"

namespace squall {

namespace {

std::size_t at(int i) { return static_cast<std::size_t>(i); }

void flatten_list(const json& j, std::vector<double>& values, std::vector<Index>& extents, int depth) {
  if (!j.is_array()) {
    if (!j.is_number()) raise<ConfigError>("should be a number, not ", j.dump());
    if (static_cast<int>(extents.size()) != depth) raise<ConfigError>("the lists have different depths");
    values.push_back(j.get<double>());
    return;
  }
  if (static_cast<int>(extents.size()) <= depth) {
    if (!values.empty()) raise<ConfigError>("the lists have different depths");
    extents.push_back(static_cast<Index>(j.size()));
  }
  if (extents[at(depth)] != static_cast<Index>(j.size())) raise<ConfigError>("the lists have different lengths");
  for (const auto& one : j) flatten_list(one, values, extents, depth + 1);
}

// The values of one parameter or of one slice.
std::vector<double> evaluate(const json& value, const std::vector<json>& fallback, const ParameterContext& context,
                             const Catalog& catalog, std::uint64_t seed, const std::string& stream) {
  const auto count = static_cast<std::size_t>(context.shape.elements());
  if (value.is_number()) return std::vector<double>(count, value.get<double>());
  if (value.is_array()) {
    std::vector<double> values;
    std::vector<Index> extents;
    flatten_list(value, values, extents, 0);
    if (Shape(extents) != context.shape)
      raise<ConfigError>("a list of shape ", Shape(extents), " for a parameter ", context.shape);
    return values;
  }
  const auto run = [&](const json& description) {
    std::vector<double> values(count);
    Rng rng(seed, stream);
    catalog.of<Initializer>().make(description, "", catalog)->fill(values, context, rng);
    return values;
  };
  try {
    return run(value);
  } catch (const InitializationError&) {
    if (fallback.empty()) throw;
  }
  const json& other = fallback.front();
  return other.is_object() ? run(other) : evaluate(other, {}, context, catalog, seed, stream);
}

}  // namespace

void Network::initialize(const json& patterns, std::uint64_t seed, std::string_view where) {
  Problems problems;
  for (const auto& target : resolve_patterns(graph_, patterns, where, problems))
    initialize_one(target, seed, where, problems);
  problems.raise_if_any("the network cannot be initialised");
  initializers_ = patterns;
  initial_seed_ = seed;
}

void Network::initialize_one(const PatternTarget& target, std::uint64_t seed, std::string_view where,
                             Problems& problems) {
  const Node& node = graph_.node(target.node);
  const bool state = target.state;
  const std::string name = state ? node.states[at(target.slot)].name : node.parameters[at(target.slot)].name;
  const Shape shape = state ? node.states[at(target.slot)].shape : node.parameters[at(target.slot)].shape;
  const std::string path = node.name + "." + name;
  std::vector<json> values = target.match.values;
  if (!state && target.match.by_default)
    if (const auto& own = node.parameters[at(target.slot)].initial; own.has_value()) values = {json(own.value())};
  if (values.size() != 1 || target.match.fallback.size() > 1) {
    const auto* what = values.empty()      ? "no initializer"
                       : values.size() > 1 ? "several initializers"
                                           : "several fallbacks";
    problems.add(where, concat("parameter '", path, "' has ", what, "; exactly one must reach it"));
    return;
  }
  try {
    const bool sliced = !state && node.parameters[at(target.slot)].task_axis;
    const Shape one = sliced ? shape.from(1) : shape;
    const bool bias = !state && node.parameters[at(target.slot)].bias;
    std::vector<double> all;
    for (Index t = 0; t < (sliced ? shape[0] : 1); ++t) {
      const auto slice = static_cast<std::size_t>(t);
      const std::string task = slice < node.tasks.size() ? node.tasks[slice] : std::to_string(t);
      const std::string stream = sliced ? concat(path, "[", task, "]") : path;
      const bool whole_list = sliced && values[0].is_array();
      const ParameterContext context{node.name, name, whole_list ? shape : one, bias};
      const auto part = evaluate(values[0], target.match.fallback, context, catalog_, seed, stream);
      all.insert(all.end(), part.begin(), part.end());
      if (whole_list) break;
    }
    set_parameter(path, HostArray::of(shape, all));
  } catch (const Error& e) {
    problems.add(where, concat("parameter '", path, "': ", e.what()));
  }
}

std::vector<Network::BoundModifier> Network::make_modifiers(const json& patterns, std::string_view where,
                                                            bool gradients) {
  Problems problems;
  std::vector<BoundModifier> out;
  std::vector<std::pair<json, std::shared_ptr<Modifier>>> joint;
  if (patterns.is_null()) return out;
  for (const auto& target : resolve_patterns(graph_, patterns, where, problems)) {
    if (target.state) continue;
    if (!target.match.fallback.empty()) problems.add(where, "'fallback' is for initializers; modifiers have none");
    const ParameterInfo& info = graph_.node(target.node).parameters[at(target.slot)];
    std::vector<json> descriptions;
    for (const auto& v : target.match.values)
      if (v.is_array())
        descriptions.insert(descriptions.end(), v.begin(), v.end());
      else
        descriptions.push_back(v);
    const auto& entry = store_->entry(target.node, target.slot);
    const int index = static_cast<int>(&entry - store_->entries().data());
    for (const auto& description : descriptions)
      for (int t = 0; t < entry.tasks(); ++t) {
        const auto known = std::ranges::find(joint, description, &std::pair<json, std::shared_ptr<Modifier>>::first);
        std::shared_ptr<Modifier> modifier =
            known != joint.end() ? known->second : catalog_.of<Modifier>().make(description, where, catalog_, problems);
        if (!modifier) continue;
        const bool left_alone = info.initial && target.match.by_default && !modifier->joint();  // gains
        if (left_alone) continue;
        if (modifier->joint() && known == joint.end()) joint.emplace_back(description, modifier);
        if (!gradients && modifier->only_for_gradients())
          problems.add(where, concat(modifier->type(), " changes gradients; it belongs into gradient_modifiers"));
        out.push_back({std::move(modifier),
                       index,
                       info.task_axis ? t : -1,
                       {graph_.node(target.node).name, info.name, entry.slice_shape(), info.bias}});
      }
  }
  problems.raise_if_any("modifiers cannot be installed");
  std::ranges::stable_sort(out, {}, [](const BoundModifier& m) { return m.modifier->joint(); });
  return out;
}

void Network::set_weight_modifiers(const json& patterns, std::string_view where) {
  weight_modifiers_ = make_modifiers(patterns, where, false);
  weight_patterns_ = patterns;
}
void Network::set_gradient_modifiers(const json& patterns, std::string_view where) {
  gradient_modifiers_ = make_modifiers(patterns, where, true);
  gradient_patterns_ = patterns;
}

// Only what the last pass trains is modified, so that resting tasks never change.
bool Network::modifies(const BoundModifier& m) const {
  const ParameterEntry& e = store_->entries()[at(m.entry)];
  const NodePlan& p = current_->plan().nodes[at(e.node)];
  if (e.offset < 0 || p.gradient[at(e.slot)] == NodePlan::Send::Nothing || !p.parameter_updated[at(e.slot)])
    return false;
  return m.task < 0 || p.has_delta[at(m.task)];
}

// Packed parameters are modified slice by slice, and only what each slice owns is written back.
void Network::apply_one(const BoundModifier& m, bool gradients, bool measure) {
  const ParameterEntry& e = store_->entries()[at(m.entry)];
  const bool packed = e.form == ParameterForm::Packed;
  const bool sliced = m.task >= 0;
  if (e.form == ParameterForm::Kept) {
    const Index begin = e.kept_begin(m.task);
    const Index count = e.kept_count(m.task);
    const Tensor value = store_->storage(e).slice(begin, count);
    const Tensor target = gradients ? store_->storage_gradient(e).slice(begin, count) : value;
    if (measure) return m.modifier->measure(*handler_, target);
    return m.modifier->apply(*handler_, value, target, m.context);
  }
  Tensor value = packed ? store_->effective_values(e) : store_->storage(e);
  Tensor target = value;
  if (gradients) target = packed ? store_->own_gradient(e, m.task) : store_->storage_gradient(e);
  if (sliced) value = value.at(m.task);
  if (sliced && !(packed && gradients)) target = target.at(m.task);
  if (measure) return m.modifier->measure(*handler_, target);
  m.modifier->apply(*handler_, value, target, m.context);
  if (!packed) return;
  if (gradients)
    store_->take_own_gradients(e);
  else
    store_->take_effective(e);
}

void Network::apply(const std::vector<BoundModifier>& modifiers, bool gradients) {
  if (modifiers.empty() || current_ == nullptr) return;
  store_->refresh();
  const Modifier* measured = nullptr;
  for (const auto& m : modifiers) {
    if (!modifies(m)) continue;
    if (m.modifier->joint() && m.modifier.get() != measured) {
      measured = m.modifier.get();
      m.modifier->begin();
      for (const auto& other : modifiers)
        if (other.modifier == m.modifier && modifies(other)) apply_one(other, gradients, true);
    }
    apply_one(m, gradients, false);
  }
  if (!gradients) store_->touch();
}

void Network::apply_weight_modifiers() { apply(weight_modifiers_, false); }

}  // namespace squall
