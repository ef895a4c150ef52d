#include "graph/memory_check.hpp"

#include <algorithm>

#include "squall/core/ops/memory.hpp"

namespace squall {

namespace {

constexpr double kCountable = 4e18;  // bytes; fits 63 bits with room for what is added

double limit_of(Handler& handler) {
  const std::size_t capacity = handler.memory().capacity();
  return capacity == 0 ? kCountable : static_cast<double>(capacity);
}

std::string there_is(Handler& handler) {
  const std::size_t capacity = handler.memory().capacity();
  if (capacity == 0) return concat("more than ", handler.name(), " can have");
  return concat(handler.name(), " has ", bytes_text(static_cast<double>(capacity)));
}

double wanted_bytes(const BufferShape& shape, const Sizes& sizes, Index context, std::size_t each) {
  double bytes = wanted_bytes(shape.features, each);
  if (shape.time >= 0)
    bytes *= static_cast<double>(sizes[static_cast<std::size_t>(shape.time)]) + static_cast<double>(context);
  if (shape.batch >= 0) bytes *= static_cast<double>(sizes[static_cast<std::size_t>(shape.batch)]);
  return bytes;
}

std::string sizes_of(const BufferShape& shape, const Sizes& sizes, const Symbols& names) {
  std::string text;
  for (const int symbol : {shape.time, shape.batch})
    if (symbol >= 0)
      text +=
          concat(text.empty() ? " with " : ", ", names.name(symbol), " = ", sizes[static_cast<std::size_t>(symbol)]);
  return text;
}

}  // namespace

double wanted_bytes(const Shape& shape, std::size_t each) {
  auto bytes = static_cast<double>(each);
  for (const Index e : shape.extents()) bytes *= static_cast<double>(e);
  return bytes;
}

void check_parameter_memory(const std::vector<ParameterEntry>& entries, const Graph& graph, Handler& handler) {
  double total = 0, most = 0;
  const ParameterEntry* largest = nullptr;
  for (const auto& e : entries) {
    if (e.form == ParameterForm::Stored) continue;
    const double bytes = 2 * wanted_bytes(e.storage_shape, size_of(handler.dtype()));
    total += bytes;
    if (bytes < most) continue;
    most = bytes;
    largest = &e;
  }
  if (total <= limit_of(handler) || largest == nullptr) return;
  const std::string all = entries.size() == 1 ? "" : concat("; all parameters need ", bytes_text(total));
  raise<DeviceError>("layer '", graph.node(largest->node).name, "': parameter '", largest->info->name, "' ",
                     largest->storage_shape, " needs ", bytes_text(most), " with its gradient", all, "; ",
                     there_is(handler));
}

void check_buffer_memory(const Graph& graph, const PassPlan& plan, const Sizes& sizes, Handler& handler) {
  const auto check = [&](const Node& node, std::string_view what, const std::string& name, const BufferShape& shape,
                         Index context, DType dtype) {
    const std::size_t each = size_of(is_real(dtype) ? handler.dtype() : dtype);
    const double bytes = wanted_bytes(shape, sizes, context, each);
    if (bytes <= limit_of(handler)) return;
    raise<DeviceError>("layer '", node.name, "': ", what, " '", name, "' ", shape.text(graph.symbols()),
                       sizes_of(shape, sizes, graph.symbols()), " needs ", bytes_text(bytes), "; ", there_is(handler));
  };
  for (int n = 0; n < graph.size(); ++n) {
    const Node& node = graph.node(n);
    const NodePlan& p = plan.nodes[static_cast<std::size_t>(n)];
    for (std::size_t o = 0; o < node.outputs.size(); ++o)
      if (p.output_active[o])
        check(node, "output", node.outputs[o].name, node.outputs[o].shape, node.outputs[o].context,
              node.outputs[o].dtype);
    if (!p.forward) continue;
    for (const auto& i : node.internals) check(node, "internal", i.name, i.shape, i.context, i.dtype);
  }
}

void check_layout_memory(const Layout& layout, Handler& handler) {
  if (static_cast<double>(layout.arena_bytes) <= limit_of(handler)) return;
  const auto largest = std::ranges::max_element(layout.buffers, {}, &Interval::bytes);
  raise<DeviceError>("the buffers of this pass need ", bytes_text(static_cast<double>(layout.arena_bytes)),
                     ", the largest is ", largest->path, " with ", bytes_text(static_cast<double>(largest->bytes)),
                     "; ", there_is(handler), "; smaller batches need less");
}

}  // namespace squall
