#include "squall/core/context_store.hpp"

#include <algorithm>

#include "squall/core/graph.hpp"
#include "squall/core/handler.hpp"
#include "squall/core/nearest.hpp"

namespace squall {

ContextStore::ContextStore(const Graph& graph)
    : graph_(graph),
      is_time_(static_cast<std::size_t>(graph.symbols().size()), 0),
      steps_(is_time_.size(), 0),
      first_(steps_) {
  const auto add = [&](int n, std::size_t slot, bool internal, const auto& info) {
    if (info.context == 0) return;
    Entry e;
    e.node = n;
    e.slot = static_cast<int>(slot);
    e.internal = internal;
    e.dtype = info.dtype;
    e.rows = info.context;
    e.buffer = info.shape;
    entries_.push_back(std::move(e));
  };
  for (int n = 0; n < graph.size(); ++n) {
    const Node& node = graph.node(n);
    for (const OutputInfo& o : node.outputs)
      if (o.shape.time >= 0) is_time_[static_cast<std::size_t>(o.shape.time)] = 1;
    for (std::size_t o = 0; o < node.outputs.size(); ++o) add(n, o, false, node.outputs[o]);
    for (std::size_t i = 0; i < node.internals.size(); ++i) add(n, i, true, node.internals[i]);
  }
}

std::string ContextStore::path(const Entry& e) const {
  const Node& node = graph_.node(e.node);
  const auto slot = static_cast<std::size_t>(e.slot);
  return e.internal ? concat(node.name, ".internals.", node.internals[slot].name)
                    : concat(node.name, ".outputs.", node.outputs[slot].name);
}

void ContextStore::hold(Entry& e, const Shape& shape, Handler& handler) {
  const DType dtype = is_real(e.dtype) ? handler.dtype() : e.dtype;
  const auto bytes = static_cast<std::size_t>(shape.elements()) * size_of(dtype);
  if (e.memory.bytes() < bytes) e.memory = DeviceBlock(handler.memory(), bytes);
  e.kept = Tensor(e.memory.data(), dtype, shape);
}

void ContextStore::begin(Start start, const Sizes& sizes, Handler& handler) {
  start_ = start;
  if (start == Start::Fresh) std::ranges::fill(steps_, Index{0});
  std::ranges::copy(steps_, first_.begin());
  for (Entry& e : entries_) {
    const Shape wanted = e.buffer.concrete(sizes).from(1).with_front(e.rows);
    if (start == Start::Continue && e.kept && !(e.kept.shape() == wanted))
      raise<ShapeError>("the context of ", path(e), " is ", e.kept.shape(), ", but this batch needs ", wanted,
                        "; sequences can go on only in batches of one size");
    if (!e.kept || !(e.kept.shape() == wanted)) {
      hold(e, wanted, handler);
      handler.memory().zero(e.kept);
    }
  }
}

Tensor ContextStore::buffer_of(const Entry& e, const std::vector<Tensor>& outputs,
                               const std::vector<Tensor>& internals) const {
  return e.internal ? internals[static_cast<std::size_t>(e.slot)] : outputs[static_cast<std::size_t>(e.slot)];
}

void ContextStore::enter(int node, Handler& handler, const std::vector<Tensor>& outputs,
                         const std::vector<Tensor>& internals) {
  for (const Entry& e : entries_) {
    if (e.node != node) continue;
    const Tensor buffer = buffer_of(e, outputs, internals);
    if (!buffer) continue;
    if (start_ == Start::Fresh)
      handler.memory().zero(buffer.slice(0, e.rows));
    else
      handler.memory().copy(e.kept, buffer.slice(0, e.rows));
  }
}

void ContextStore::leave(int node, Handler& handler, const std::vector<Tensor>& outputs,
                         const std::vector<Tensor>& internals) {
  for (const Entry& e : entries_) {
    if (e.node != node) continue;
    const Tensor buffer = buffer_of(e, outputs, internals);
    if (buffer) handler.memory().copy(buffer.slice(buffer.shape()[0] - e.rows, e.rows), e.kept);
  }
}

void ContextStore::end(const Sizes& sizes) {
  for (std::size_t s = 0; s < steps_.size(); ++s)
    if (is_time_[s] != 0) steps_[s] += sizes[s];
}

Context ContextStore::get(Handler& handler) const {
  Context context;
  for (const Entry& e : entries_)
    if (e.kept) context.rows.push_back({path(e), handler.memory().to_host(e.kept)});
  for (std::size_t s = 0; s < steps_.size(); ++s)
    if (is_time_[s] != 0) context.steps.emplace_back(graph_.symbols().name(static_cast<int>(s)), steps_[s]);
  return context;
}

void ContextStore::set(const Context& context, Handler& handler) {
  std::vector<std::string> names;
  for (const Entry& e : entries_) names.push_back(path(e));
  for (const auto& rows : context.rows)
    if (std::ranges::find(names, rows.path) == names.end())
      raise<ConfigError>("the network carries no context '", rows.path, "'", did_you_mean(rows.path, names));
  for (Entry& e : entries_) {
    const auto given = std::ranges::find(context.rows, path(e), &Context::Rows::path);
    if (given == context.rows.end()) raise<ConfigError>("the context lacks ", path(e));
    const Shape& shape = given->values.shape();
    if (shape.rank() < 2 || shape[0] != e.rows || shape.from(2).elements() != e.buffer.feature_size())
      raise<ShapeError>("the context for ", path(e), " is ", shape, ", but it should be (", e.rows, ", batch size, ",
                        e.buffer.features, ")");
    hold(e, Shape{e.rows, shape[1]}.joined(e.buffer.features), handler);
    handler.memory().upload(given->values.view(), e.kept);
  }
  std::ranges::fill(steps_, Index{0});
  for (const auto& [name, count] : context.steps)
    for (std::size_t s = 0; s < steps_.size(); ++s)
      if (graph_.symbols().name(static_cast<int>(s)) == name) steps_[s] = count;
}

}  // namespace squall
