// A pass made ready for concrete sizes: views of every buffer, plans, sinks. Built once, run many times without
// allocating. Bindings of one network share one transient arena.
#pragma once

#include <memory>
#include <vector>

#include "squall/core/layout.hpp"
#include "squall/core/ops/packed_weight.hpp"
#include "squall/core/pass_plan.hpp"
#include "squall/core/plan.hpp"

namespace squall {

class ParameterStore;
class Handler;

// Everything one layer touches in a pass, by slot index.
struct LayerViews {
  const Node* node = nullptr;
  int index = -1;
  std::vector<char> active;
  std::vector<ConstTensor> inputs;
  std::vector<Index> input_time, input_batch;
  std::vector<Tensor> outputs, outputs_with_context, internals, deltas, states;
  std::vector<Sink> sinks, gradients;
  std::vector<ConstTensor> parameters;
  std::vector<std::unique_ptr<Plan>> plans;
  std::uint64_t random_key = 0;
};

class Binding {
 public:
  Binding(const Graph& graph, std::shared_ptr<const PassPlan> plan, const Sizes& sizes, ParameterStore& parameters,
          Handler& handler, MemoryMode memory, std::uint64_t seed, std::size_t margin);

  bool training() const { return plan_->request.mode == Mode::Train; }
  const PassPlan& plan() const { return *plan_; }
  const Sizes& sizes() const { return sizes_; }
  const Layout& layout() const { return layout_; }
  std::size_t arena_bytes() const { return layout_.arena_bytes; }
  std::size_t workspace_bytes() const { return workspace_bytes_; }

  // Points every view at memory; called again when an arena or the parameters have moved.
  void attach(std::byte* arena, std::byte* inputs);
  LayerViews& views(int node) { return views_[static_cast<std::size_t>(node)]; }
  const LayerViews& views(int node) const { return views_[static_cast<std::size_t>(node)]; }

  void forward(Handler& handler, std::uint64_t random_step);
  void backward(Handler& handler);

  // For contexts.
  Shape input_shape(int node, int slot) const;
  Shape output_shape(int node, int slot) const;
  void keep_plan(int node, int slot, std::unique_ptr<Plan> plan);
  const PackedWeight* packed(int node, int parameter, int task) const;
  WeightRef weight(const LayerViews& views, int parameter, int task) const;
  ConstTensor backward_input(const LayerViews& views, int slot) const;
  ConstTensor backward_output(const LayerViews& views, int slot) const;
  std::uint64_t random_step() const { return random_step_; }
  // Position in layout().buffers, -1 if the buffer does not exist in this pass.
  int output_buffer(int node, int slot) const { return refs_[static_cast<std::size_t>(node)].outputs[static_cast<std::size_t>(slot)]; }
  int delta_buffer(int node, int slot) const { return refs_[static_cast<std::size_t>(node)].deltas[static_cast<std::size_t>(slot)]; }
  int internal_buffer(int node, int slot) const { return refs_[static_cast<std::size_t>(node)].internals[static_cast<std::size_t>(slot)]; }

 private:
  struct BufferRefs {  // indices into layout_.buffers
    std::vector<int> outputs, internals, deltas, reserves;
  };
  void collect_buffers(std::vector<Interval>& buffers);
  void extend_lifetimes(std::vector<Interval>& buffers) const;
  void attach_node(int node, std::byte* arena, std::byte* inputs);
  Tensor buffer_view(int buffer, std::byte* arena, DType dtype, const Shape& shape) const;
  DType real(DType t) const { return is_real(t) ? real_ : t; }

  const Graph& graph_;
  std::shared_ptr<const PassPlan> plan_;
  Sizes sizes_;
  ParameterStore& parameters_;
  DType real_;
  std::vector<LayerViews> views_;
  std::vector<BufferRefs> refs_;
  Layout layout_;
  std::size_t workspace_bytes_ = 0;
  int workspace_buffer_ = -1;
  std::uint64_t random_step_ = 0;
};

// Offsets of the outputs of Input in the area for provided data; `bytes` of it are needed.
struct InputArea {
  std::vector<std::size_t> offsets;
  std::size_t bytes = 0;
};
InputArea input_area(const Graph& graph, const Sizes& sizes, DType real);

}  // namespace squall
