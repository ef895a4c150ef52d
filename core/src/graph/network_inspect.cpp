// Reading a network from outside.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "graph/network_state.hpp"

namespace squall {

namespace {

std::size_t at(int i) { return static_cast<std::size_t>(i); }
constexpr unsigned char kSentinel = 0xA5;

template <class Infos>
std::string choices(const Infos& infos) {
  std::vector<std::string> names;
  for (const auto& i : infos) names.push_back(i.name);
  return names.empty() ? "there are none" : "there are: " + join(names);
}

bool all_finite(const HostArray& a) {
  for (Index i = 0; i < a.elements(); ++i)
    if (!std::isfinite(a.value(i))) return false;
  return true;
}

}  // namespace

void Network::require_gradients() const {
  if (gradients_given_)
    raise<ConfigError>(
        "gradients of the last step became updates as they were made and are not there; "
        "keep_gradients() of the trainer or the stepper keeps them");
}

HostArray Network::get(std::string_view path) const {
  if (path == "parameters") return handler_->memory().to_host(store_->flat_values());
  if (path == "gradients") {
    require_gradients();
    return handler_->memory().to_host(store_->flat_gradients());
  }
  const auto first = path.find('.');
  const auto second = first == std::string_view::npos ? first : path.find('.', first + 1);
  const std::string layer(path.substr(0, first));
  const int n = graph_.find(layer);
  if (n < 0) raise<ConfigError>("there is no layer '", layer, "' in '", path, "'", did_you_mean(layer, graph_.names()));
  if (second == std::string_view::npos)
    raise<ConfigError>("'", path,
                       "' is not a buffer; write LAYER.CATEGORY.NAME with one of parameters, gradients, state, "
                       "inputs, outputs, internals, input_deltas, output_deltas");
  return get_buffer(graph_.node(n), n, path.substr(first + 1, second - first - 1), path.substr(second + 1));
}

HostArray Network::get_buffer(const Node& node, int n, std::string_view category, std::string_view name) const {
  const auto missing = [&](const auto& infos) {
    raise<ConfigError>("layer '", node.name, "' has no ", category, " '", name, "'; ", choices(infos));
  };
  if (category == "parameters" || category == "gradients") {
    const int k = node.find_parameter(name);
    if (k < 0) missing(node.parameters);
    const auto& e = store_->entry(n, k);
    if (category == "parameters") return store_->get(e);
    require_gradients();
    return store_->get_gradient(e);
  }
  if (category == "state") {
    const int k = node.find_state(name);
    if (k < 0) missing(node.states);
    return handler_->memory().to_host(store_->state(n, k));
  }
  if (category == "inputs" || category == "input_deltas") {
    const int i = node.find_input(name);
    if (i < 0) missing(node.inputs);
    const Source& s = node.inputs[at(i)].source;
    const Node& from = graph_.node(s.node);
    if (s.kind == Source::Kind::Parameter)
      return get_buffer(from, s.node, category == "inputs" ? "parameters" : "gradients",
                        from.parameters[at(s.slot)].name);
    if (s.kind == Source::Kind::Internal) {
      if (category == "inputs") return get_buffer(from, s.node, "internals", from.internals[at(s.slot)].name);
      return HostArray(handler_->dtype(), binding().input_shape(n, i));  // nothing goes back
    }
    return get_buffer(from, s.node, category == "inputs" ? "outputs" : "output_deltas", from.outputs[at(s.slot)].name);
  }
  if (category == "outputs" || category == "output_deltas") {
    const int o = node.find_output(name);
    if (o < 0) missing(node.outputs);
    return category == "outputs" ? handler_->memory().to_host(output(n, o)) : get_delta(n, o);
  }
  if (category == "internals") {
    const int i = node.find_internal(name);
    if (i < 0) missing(node.internals);
    const Tensor t = binding().views(n).internals[at(i)];
    if (!t) raise<ConfigError>("'", node.name, ".internals.", name, "' was not part of the last pass");
    if (options_.memory == MemoryMode::Compact)
      raise<ConfigError>("'", node.name, ".internals.", name,
                         "' shares memory in Compact mode; use MemoryMode::Inspectable");
    return handler_->memory().to_host(t);
  }
  raise<ConfigError>("'", category,
                     "' is not a kind of buffer; write parameters, gradients, state, inputs, outputs, "
                     "internals, input_deltas or output_deltas");
}

HostArray Network::get_delta(int n, int slot) const {
  const Node& node = graph_.node(n);
  const LayerViews& v = binding().views(n);
  if (!v.deltas[at(slot)]) {  // nobody sends one: it is zero
    return HostArray(handler_->dtype(), binding().output_shape(n, slot));
  }
  const Tensor& t = n == 0 ? v.deltas[at(slot)] : v.kept_deltas[at(slot)];
  if (!t)
    raise<ConfigError>("'", node.name, ".output_deltas.", node.outputs[at(slot)].name,
                       "' shares memory in Compact mode; name it in NetworkOptions::wants_deltas or use "
                       "MemoryMode::Inspectable");
  return handler_->memory().to_host(t);
}

ConstTensor Network::output(int n, int slot) const {
  const Binding& b = binding();
  const OutputInfo& info = graph_.node(n).outputs[at(slot)];
  const ConstTensor t = b.views(n).outputs[at(slot)];
  const auto path = [&] { return graph_.node(n).name + ".outputs." + info.name; };  // only where it is told
  if (!t) raise<ConfigError>("'", path(), "' was not part of the last pass");
  const int buffer = b.output_buffer(n, slot);
  const bool kept = buffer < 0 || b.layout().buffers[at(buffer)].last == 2 * graph_.size();
  if (!kept && options_.memory == MemoryMode::Compact)
    raise<ConfigError>("'", path(),
                       "' shares memory in Compact mode; pin it (Network::pin) or use MemoryMode::Inspectable");
  return t;
}

ParameterEntry& Network::entry_at(std::string_view layer, std::string_view name) {
  if (ParameterEntry* e = store_->find(layer, name)) return *e;
  const int n = graph_.find(layer);
  if (n < 0) raise<ConfigError>("there is no layer '", layer, "'", did_you_mean(layer, graph_.names()));
  raise<ConfigError>("layer '", layer, "' has no parameter '", name, "'; ", choices(graph_.node(n).parameters));
}

void Network::set_parameter(std::string_view path, const HostArray& value) {
  const auto first = path.find('.');
  const auto last = path.rfind('.');
  if (first == std::string_view::npos) raise<ConfigError>("'", path, "' is not LAYER.PARAMETER");
  const auto layer = path.substr(0, first);
  const auto name = path.substr(last + 1);
  const int n = graph_.find(layer);
  const int state = n < 0 ? -1 : graph_.node(n).find_state(name);
  if (state >= 0) {
    const Tensor t = store_->state(n, state);
    if (value.shape() != t.shape())
      raise<ShapeError>("'", path, "' is ", t.shape(), ", but ", value.shape(), " was given");
    handler_->memory().upload(value.view(), t);
    return;
  }
  store_->set(entry_at(layer, name), value);
}

void Network::give_internal(std::string_view path, const HostArray& value) {
  const auto dot = path.find('.');
  const int n = graph_.find(path.substr(0, dot));
  const int slot = n < 0 || dot == std::string_view::npos ? -1 : graph_.node(n).find_internal(path.substr(dot + 1));
  if (slot < 0) raise<ConfigError>("there is no internal '", path, "'; write LAYER.INTERNAL");
  std::erase_if(given_, [&](const Binding::Given& g) { return g.node == n && g.slot == slot; });
  if (!value.empty()) given_.push_back({n, slot, value});
}

void Network::fill_sentinels(const Binding& binding) const {
  const std::vector<unsigned char> guard(64, kSentinel);
  const ConstTensor host(guard.data(), DType::U8, Shape{64});
  for (const auto& b : binding.layout().buffers)
    handler_->memory().upload(host, Tensor(arena_.data() + b.offset + b.bytes, DType::U8, Shape{64}));
}

bool Network::check_sentinels() const {
  if (!options_.sentinels) raise<ConfigError>("NetworkOptions::sentinels is off");
  for (const auto& b : binding().layout().buffers) {
    const HostArray guard =
        handler_->memory().to_host(Tensor(arena_.data() + b.offset + b.bytes, DType::U8, Shape{64}));
    for (const std::uint8_t byte : guard.span<std::uint8_t>())
      if (byte != kSentinel) return false;
  }
  return true;
}

std::string Network::first_non_finite() {
  int suspect = graph_.size();  // the first with such a parameter
  for (const auto& e : store_->entries())
    if (!all_finite(store_->get(e))) suspect = std::min(suspect, e.node);
  std::string found = suspect < graph_.size() ? graph_.node(suspect).name : std::string();
  if (current_ == nullptr) return found;
  // Runs the pass again with every buffer in a place of its own, on the data that is still there.
  const Binding::Options o{MemoryMode::Inspectable, options_.seed, 0, pins_};
  Binding probe(graph_, state(current_pass_).plan, current_->sizes(), *store_, *handler_, o);
  DeviceBlock arena(handler_->memory(), probe.arena_bytes());
  probe.attach(arena.data(), inputs_);
  const bool training = probe.training();
  const auto states = get_states();
  ContextStore contexts(graph_);  // what the sequences came with is gone: they begin with zeros here
  contexts.begin(Start::Fresh, probe.sizes(), *handler_);
  probe.forward(*handler_, training && random_step_ > 0 ? random_step_ - 1 : random_step_, given_, contexts);
  set_states(states);
  for (int n = 0; n < suspect; ++n)
    for (const Tensor& t : probe.views(n).outputs)
      if (t && is_real(t.dtype()) && !all_finite(handler_->memory().to_host(t))) return graph_.node(n).name;
  return found;
}

std::vector<HostArray> Network::get_states() const {
  std::vector<HostArray> out;
  for (int n = 0; n < graph_.size(); ++n)
    for (int k = 0; k < static_cast<int>(graph_.node(n).states.size()); ++k)
      out.push_back(handler_->memory().to_host(store_->state(n, k)));
  return out;
}

void Network::set_states(const std::vector<HostArray>& states) {
  std::size_t next = 0;
  for (int n = 0; n < graph_.size(); ++n)
    for (int k = 0; k < static_cast<int>(graph_.node(n).states.size()); ++k)
      handler_->memory().upload(states.at(next++).view(), store_->state(n, k));
}

}  // namespace squall
