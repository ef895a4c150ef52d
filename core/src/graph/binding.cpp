#include "squall/core/binding.hpp"

#include <algorithm>

#include "graph/error_context.hpp"
#include "graph/memory_check.hpp"
#include "squall/core/contexts.hpp"
#include "squall/core/parameter_store.hpp"

namespace squall {

namespace {

using Send = NodePlan::Send;
std::size_t at(int i) { return static_cast<std::size_t>(i); }
// Nobody but its layer can read it.
bool stands_apart(const ParameterEntry& e) { return e.form == ParameterForm::Stored || e.form == ParameterForm::Kept; }

}  // namespace

Binding::Binding(const Graph& graph, std::shared_ptr<const PassPlan> plan, const Sizes& sizes,
                 ParameterStore& parameters, Handler& handler, const Options& options)
    : graph_(graph),
      plan_(std::move(plan)),
      sizes_(sizes),
      parameters_(parameters),
      real_(handler.dtype()),
      options_(options),
      views_(at(graph.size())),
      refs_(at(graph.size())) {
  check_buffer_memory(graph_, *plan_, sizes_, handler);
  size_views();
  prepare_plans(handler);
  auto buffers = collect_buffers();
  extend_lifetimes(buffers);
  layout_ = place(std::move(buffers), options_.memory, 64, options_.margin);
  check_layout_memory(layout_, handler);
  list_zero_fills();
}

void Binding::size_views() {
  for (int n = 0; n < graph_.size(); ++n) {
    const Node& node = graph_.node(n);
    const NodePlan& p = plan_->nodes[at(n)];
    LayerViews& v = views_[at(n)];
    v.node = &node;
    v.index = n;
    v.active = p.output_active;
    v.inputs.resize(node.inputs.size());
    v.sinks.resize(node.inputs.size());
    for (const auto& in : node.inputs) {
      v.input_time.push_back(in.shape.time < 0 ? 1 : sizes_[at(in.shape.time)]);
      v.input_batch.push_back(in.shape.batch < 0 ? 1 : sizes_[at(in.shape.batch)]);
    }
    v.outputs.resize(node.outputs.size());
    v.outputs_with_context.resize(node.outputs.size());
    v.deltas.resize(node.outputs.size());
    v.kept_deltas.resize(node.outputs.size());
    v.internals.resize(node.internals.size());
    v.states.resize(node.states.size());
    v.parameters.resize(node.parameters.size());
    v.gradients.resize(node.parameters.size());
    v.plans.resize(at(node.plans));
    v.random_key = stream_key(options_.seed, node.name);
    refs_[at(n)] = {std::vector<int>(node.outputs.size(), -1), std::vector<int>(node.internals.size(), -1),
                    std::vector<int>(node.outputs.size(), -1), std::vector<int>(node.outputs.size(), -1),
                    std::vector<int>(at(node.plans), -1)};
  }
}

void Binding::prepare_plans(Handler& handler) {
  for (const int n : plan_->forward_order)
    in_layer(graph_.node(n), "preparing", [&] {
      Prepare prepare(*this, n, handler);
      graph_.node(n).layer->prepare(prepare);
    });
}

bool Binding::pinned(const Node& node, const OutputInfo& output) const {
  const std::string path = node.name + "." + output.name;
  const auto& heads = plan_->request.heads;
  const bool head = std::ranges::find(heads, node.name) != heads.end() || std::ranges::find(heads, path) != heads.end();
  return head || output.loss || std::ranges::any_of(options_.pins, [&](const auto& p) { return matches(p, path); });
}

bool Binding::keeps_delta(const Node& node, const OutputInfo& output) const {
  const auto& wanted = plan_->request.wants_deltas;
  const std::string path = node.name + "." + output.name;
  return options_.memory == MemoryMode::Inspectable ||
         std::ranges::any_of(wanted, [&](const auto& w) { return matches(w, path); });
}

// A layer that runs has room for an output that its own backward reads, wanted by others or not.
bool Binding::needed_by_own_backward(int n, const OutputInfo& output) const {
  const NodePlan& p = plan_->nodes[at(n)];
  return p.forward && output.read_in_backward &&
         std::ranges::all_of(output.depends, [&](int i) { return p.input_active[at(i)] != 0; });
}

void Binding::collect_node(int n, std::vector<Interval>& buffers) {
  const Node& node = graph_.node(n);
  const NodePlan& p = plan_->nodes[at(n)];
  BufferRefs& refs = refs_[at(n)];
  const auto add = [&](const std::string& path, DType dtype, const Shape& shape, int first, int last) {
    buffers.push_back({path, static_cast<std::size_t>(shape.elements()) * size_of(real(dtype)), first, last, 0});
    return static_cast<int>(buffers.size()) - 1;
  };
  for (std::size_t o = 0; o < node.outputs.size(); ++o) {
    const OutputInfo& info = node.outputs[o];
    // Input has memory of its own.
    const bool stored = n > 0 && (p.output_active[o] || needed_by_own_backward(n, info));
    if (stored)
      refs.outputs[o] = add(node.name + ".outputs." + info.name, info.dtype, info.shape.concrete(sizes_, info.context),
                            forward_time(n), pinned(node, info) ? end_time() : forward_time(n));
    if (p.has_delta[o])
      refs.deltas[o] = add(node.name + ".output_deltas." + info.name, info.dtype, info.shape.concrete(sizes_),
                           end_time(), n == 0 ? end_time() : backward_time(n));
    if (p.has_delta[o] && n > 0 && keeps_delta(node, info))
      refs.kept_deltas[o] = add(node.name + ".kept_deltas." + info.name, info.dtype, info.shape.concrete(sizes_),
                                backward_time(n), end_time());
  }
  for (std::size_t i = 0; i < node.internals.size() && p.forward; ++i) {
    const InternalInfo& info = node.internals[i];
    if (info.life == Life::Backward && !p.backward) continue;
    const int first = info.life == Life::Backward ? backward_time(n) : forward_time(n);
    const int last = info.life == Life::Forward || !p.backward ? forward_time(n) : backward_time(n);
    refs.internals[i] =
        add(node.name + ".internals." + info.name, info.dtype, info.shape.concrete(sizes_, info.context), first, last);
  }
  for (std::size_t k = 0; k < views_[at(n)].plans.size(); ++k) {
    const Plan* plan = views_[at(n)].plans[k].get();
    if (plan == nullptr) continue;
    workspace_bytes_ = std::max(workspace_bytes_, plan->workspace_bytes());
    if (plan->reserve_bytes() > 0)
      refs.reserves[k] =
          add(concat(node.name, ".reserve.", k), DType::U8, Shape{static_cast<Index>(plan->reserve_bytes())},
              forward_time(n), p.backward ? backward_time(n) : forward_time(n));
  }
}

std::vector<Interval> Binding::collect_buffers() {
  std::vector<Interval> buffers;
  for (int n = 0; n < graph_.size(); ++n) collect_node(n, buffers);
  if (workspace_bytes_ > 0) {
    workspace_buffer_ = static_cast<int>(buffers.size());
    buffers.push_back({"workspace", workspace_bytes_, 0, end_time(), 0});
  }
  return buffers;
}

// Outputs live until their last reader, deltas from their first writer.
void Binding::extend_lifetimes(std::vector<Interval>& buffers) const {
  for (int n = 0; n < graph_.size(); ++n) {
    const Node& node = graph_.node(n);
    const NodePlan& p = plan_->nodes[at(n)];
    for (std::size_t o = 0; o < node.outputs.size(); ++o)
      if (const int b = refs_[at(n)].outputs[o]; b >= 0 && node.outputs[o].read_in_backward && p.backward)
        buffers[at(b)].last = std::max(buffers[at(b)].last, backward_time(n));
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      const InputInfo& in = node.inputs[i];
      if (in.source.kind != Source::Kind::Output && in.source.kind != Source::Kind::Internal) continue;
      const bool internal = in.source.kind == Source::Kind::Internal;
      const BufferRefs& from = refs_[at(in.source.node)];
      const int source = internal ? from.internals[at(in.source.slot)] : from.outputs[at(in.source.slot)];
      if (source >= 0 && p.input_active[i]) {
        const int last = in.read_in_backward && p.backward ? backward_time(n) : forward_time(n);
        buffers[at(source)].last = std::max(buffers[at(source)].last, last);
      }
      if (internal) continue;
      const int delta = from.deltas[at(in.source.slot)];
      if (delta >= 0 && p.sends[i] != Send::Nothing)
        buffers[at(delta)].first = std::min(buffers[at(delta)].first, backward_time(n));
    }
  }
}

void Binding::list_zero_fills() {
  zero_fills_.resize(at(graph_.size()));
  std::vector<Source> done;
  for (const int n : plan_->backward_order)
    for (std::size_t i = 0; i < graph_.node(n).inputs.size(); ++i) {
      const Source& s = graph_.node(n).inputs[i].source;
      if (s.kind != Source::Kind::Output || plan_->nodes[at(n)].sends[i] == Send::Nothing) continue;
      if (!plan_->nodes[at(s.node)].zero_first[at(s.slot)] || std::ranges::find(done, s) != done.end()) continue;
      done.push_back(s);
      zero_fills_[at(n)].push_back(s);
    }
}

Tensor Binding::buffer_view(int buffer, std::byte* arena, DType dtype, const Shape& shape) const {
  if (buffer < 0) return {};
  return {arena + layout_.buffers[at(buffer)].offset, real(dtype), shape};
}

void Binding::attach(std::byte* arena, const std::vector<DeviceBlock>& inputs) {
  for (int n = 0; n < graph_.size(); ++n) attach_outputs(n, arena, inputs);
  for (int n = 0; n < graph_.size(); ++n) {
    attach_inputs(n);
    attach_parameters(n);
    attach_plans(n, arena);
  }
}

void Binding::attach_outputs(int n, std::byte* arena, const std::vector<DeviceBlock>& inputs) {
  const Node& node = graph_.node(n);
  LayerViews& v = views_[at(n)];
  for (std::size_t o = 0; o < node.outputs.size(); ++o) {
    const OutputInfo& info = node.outputs[o];
    const Shape whole = info.shape.concrete(sizes_, info.context);
    if (n == 0) {
      if (v.active[o] && inputs[o].data() != nullptr) v.outputs[o] = Tensor(inputs[o].data(), real(info.dtype), whole);
    } else {
      v.outputs_with_context[o] = buffer_view(refs_[at(n)].outputs[o], arena, info.dtype, whole);
      v.outputs[o] = v.outputs_with_context[o];
      if (info.context > 0 && v.outputs[o]) v.outputs[o] = v.outputs[o].slice(info.context, whole[0] - info.context);
    }
    v.deltas[o] = buffer_view(refs_[at(n)].deltas[o], arena, info.dtype, info.shape.concrete(sizes_));
    v.kept_deltas[o] = buffer_view(refs_[at(n)].kept_deltas[o], arena, info.dtype, info.shape.concrete(sizes_));
  }
  for (std::size_t i = 0; i < node.internals.size(); ++i) {
    const InternalInfo& info = node.internals[i];
    v.internals[i] =
        buffer_view(refs_[at(n)].internals[i], arena, info.dtype, info.shape.concrete(sizes_, info.context));
  }
}

void Binding::attach_inputs(int n) {
  const Node& node = graph_.node(n);
  const NodePlan& p = plan_->nodes[at(n)];
  LayerViews& v = views_[at(n)];
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    const Source& s = node.inputs[i].source;
    const bool parameter = s.kind == Source::Kind::Parameter;
    v.inputs[i] = ConstTensor();
    v.sinks[i] = Sink();
    if (p.input_active[i] && parameter && stands_apart(parameters_.entry(s.node, s.slot)))
      raise<ConfigError>("'", node.name, "' reads parameter '", graph_.node(s.node).parameters[at(s.slot)].name,
                         "' of '", graph_.node(s.node).name, "', ",
                         parameters_.entry(s.node, s.slot).form == ParameterForm::Stored
                             ? "which is stored for inference"
                             : "of which only kept weights are stored",
                         "; run heads that do not need it");
    if (p.input_active[i]) v.inputs[i] = parameter ? parameters_.effective(s.node, s.slot) : source_view(s);
    if (p.sends[i] == Send::Nothing) continue;
    const Write mode = p.sends[i] == Send::Overwrite ? Write::Overwrite : Write::Add;
    v.sinks[i] = parameter ? Sink(parameters_.effective_gradient(s.node, s.slot), mode)
                           : Sink(views_[at(s.node)].deltas[at(s.slot)], mode);
  }
}

// What readers of an output or internal see: without the rows of its context.
ConstTensor Binding::source_view(const Source& s) const {
  const LayerViews& from = views_[at(s.node)];
  if (s.kind == Source::Kind::Output) return from.outputs[at(s.slot)];
  const Index context = graph_.node(s.node).internals[at(s.slot)].context;
  const Tensor& whole = from.internals[at(s.slot)];
  return context > 0 && whole ? whole.slice(context, whole.shape()[0] - context) : whole;
}

void Binding::attach_parameters(int n) {
  const Node& node = graph_.node(n);
  const NodePlan& p = plan_->nodes[at(n)];
  LayerViews& v = views_[at(n)];
  for (int k = 0; k < static_cast<int>(node.parameters.size()); ++k) {
    v.parameters[at(k)] = parameters_.effective(n, k);
    v.gradients[at(k)] = Sink();
    if (p.gradient[at(k)] != Send::Nothing && p.backward)
      v.gradients[at(k)] = Sink(parameters_.effective_gradient(n, k),
                                p.gradient[at(k)] == Send::Overwrite ? Write::Overwrite : Write::Add);
  }
  for (int k = 0; k < static_cast<int>(node.states.size()); ++k) v.states[at(k)] = parameters_.state(n, k);
}

void Binding::attach_plans(int n, std::byte* arena) {
  LayerViews& v = views_[at(n)];
  for (std::size_t k = 0; k < v.plans.size(); ++k) {
    if (!v.plans[k]) continue;
    if (workspace_buffer_ >= 0) v.plans[k]->set_workspace(arena + layout_.buffers[at(workspace_buffer_)].offset);
    if (const int r = refs_[at(n)].reserves[k]; r >= 0) v.plans[k]->set_reserve(arena + layout_.buffers[at(r)].offset);
  }
}

void Binding::forward(Handler& handler, std::uint64_t random_step, const std::vector<Given>& given,
                      ContextStore& contexts) {
  random_step_ = random_step;
  given_ = &given;
  contexts_ = &contexts;
  for (const int n : plan_->forward_order)
    in_layer(graph_.node(n), "forward", [&] {
      LayerViews& v = views_[at(n)];
      for (std::size_t i = 0; i < v.internals.size(); ++i)
        if (graph_.node(n).internals[i].read_by_others && v.internals[i]) handler.memory().zero(v.internals[i]);
      contexts.enter(n, handler, v.outputs_with_context, v.internals);
      for (const auto& g : given)
        if (g.node == n) handler.memory().upload(g.value.view(), v.internals[at(g.slot)]);
      Forward f(*this, n, handler);
      graph_.node(n).layer->forward(f);
      contexts.leave(n, handler, v.outputs_with_context, v.internals);
    });
}

bool Binding::is_given(int node, int slot) const {
  return given_ != nullptr &&
         std::ranges::any_of(*given_, [&](const Given& g) { return g.node == node && g.slot == slot; });
}

void Binding::backward(Handler& handler, std::span<GradientTaker* const> takers) {
  takers_ = takers;
  for (const int n : plan_->backward_order)
    in_layer(graph_.node(n), "backward", [&] {
      const LayerViews& v = views_[at(n)];
      for (const Source& s : zero_fills_[at(n)]) handler.memory().zero(views_[at(s.node)].deltas[at(s.slot)]);
      for (std::size_t o = 0; o < v.deltas.size(); ++o)
        if (v.kept_deltas[o]) handler.memory().copy(v.deltas[o], v.kept_deltas[o]);
      Backward b(*this, n, handler);
      graph_.node(n).layer->backward(b);
    });
}

Shape Binding::input_shape(int n, int slot) const { return graph_.node(n).inputs[at(slot)].shape.concrete(sizes_); }
Shape Binding::output_shape(int n, int slot) const { return graph_.node(n).outputs[at(slot)].shape.concrete(sizes_); }

void Binding::keep_plan(int n, int slot, std::unique_ptr<Plan> plan) {
  views_[at(n)].plans[at(slot)] = std::move(plan);
}

const PackedWeight* Binding::packed(int n, int parameter, int task) const {
  const ParameterEntry& e = parameters_.entry(n, parameter);
  return e.form == ParameterForm::Stored ? &e.packed[at(task)] : nullptr;
}

WeightRef Binding::weight(const LayerViews& v, int parameter, int task) const {
  const ParameterEntry& e = parameters_.entry(v.index, parameter);
  if (e.form == ParameterForm::Stored) return {{}, &e.packed[at(std::max(task, 0))]};
  const ConstTensor& whole = v.parameters[at(parameter)];
  const std::uint64_t version = parameters_.version(e);
  if (e.form == ParameterForm::Kept) return {whole.slice(e.kept_begin(task), e.kept_count(task)), nullptr, version};
  return {task < 0 ? whole : whole.at(task), nullptr, version};
}

Sink Binding::gradient(const LayerViews& v, int parameter, int task) const {
  const Sink& whole = v.gradients[at(parameter)];
  if (!whole || task < 0) return whole;
  const ParameterEntry& e = parameters_.entry(v.index, parameter);
  if (e.form != ParameterForm::Kept) return whole.at(task);
  return {whole.to.slice(e.kept_begin(task), e.kept_count(task)), whole.mode};
}

Sink Binding::gradient_once(const LayerViews& v, int parameter) const {
  Sink sink = v.gradients[at(parameter)];
  if (takers_.empty() || !sink || sink.mode != Write::Overwrite) return sink;
  sink.taker = takers_[static_cast<std::size_t>(parameters_.place(v.index, parameter))];
  return sink;
}

const SparsePattern* Binding::pattern(int n, int parameter, int task) const {
  const ParameterEntry& e = parameters_.entry(n, parameter);
  return e.form == ParameterForm::Kept ? &e.patterns[at(task)] : nullptr;
}

ConstTensor Binding::backward_input(const LayerViews& v, int slot) const {
  const InputInfo& in = v.node->inputs[at(slot)];
  if (!in.read_in_backward) raise("input '", in.name, "' is read in backward but not named in backward_reads()");
  return v.inputs[at(slot)];
}

ConstTensor Binding::backward_output(const LayerViews& v, int slot) const {
  const OutputInfo& out = v.node->outputs[at(slot)];
  if (!out.read_in_backward) raise("output '", out.name, "' is read in backward but not named in backward_reads()");
  return v.outputs[at(slot)];
}

Tensor Binding::backward_output_with_context(const LayerViews& v, int slot) const {
  backward_output(v, slot);  // refuses what was not declared
  return v.outputs_with_context[at(slot)];
}

Index Prepare::rows(In in) const {
  const LayerViews& v = binding_.views(node_);
  return v.input_time[at(in.index)] * v.input_batch[at(in.index)];
}

const PackedWeight* Prepare::packed(Param p, int task) const { return binding_.packed(node_, p.index, task); }
const SparsePattern* Prepare::pattern(Param p, int task) const { return binding_.pattern(node_, p.index, task); }

}  // namespace squall
