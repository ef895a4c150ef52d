// A pass made ready for concrete sizes: views of every buffer, plans, sinks. Built once, run many times without
// allocating. Bindings of one network share one transient arena.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "squall/core/context_store.hpp"
#include "squall/core/layout.hpp"
#include "squall/core/ops/memory.hpp"
#include "squall/core/packed_weight.hpp"
#include "squall/core/pass_plan.hpp"
#include "squall/core/plan.hpp"

namespace squall {

class ParameterStore;

// Everything one layer touches in a pass, by slot index.
struct LayerViews {
  const Node* node = nullptr;
  int index = -1;
  std::vector<char> active;
  std::vector<ConstTensor> inputs;
  std::vector<Index> input_time, input_batch;
  std::vector<Tensor> outputs, outputs_with_context, internals, deltas, states;
  std::vector<Tensor> kept_deltas;  // copies for inspection, as a layer may destroy its deltas
  std::vector<Sink> sinks, gradients;
  std::vector<ConstTensor> parameters;
  std::vector<std::unique_ptr<Plan>> plans;
  std::uint64_t random_key = 0;
};

class Binding {
 public:
  struct Options {
    MemoryMode memory = MemoryMode::Compact;
    std::uint64_t seed = 0;
    std::size_t margin = 0;         // guard bytes behind every buffer
    std::vector<std::string> pins;  // patterns "Layer.output" of outputs whose memory is not reused
  };
  Binding(const Graph& graph, std::shared_ptr<const PassPlan> plan, const Sizes& sizes, ParameterStore& parameters,
          Handler& handler, const Options& options);

  bool training() const { return plan_->request.mode == Mode::Train; }
  bool training(int node) const { return training() && !plan_->nodes[static_cast<std::size_t>(node)].keeps_states; }
  const PassPlan& plan() const { return *plan_; }
  const Sizes& sizes() const { return sizes_; }
  const Layout& layout() const { return layout_; }
  std::size_t arena_bytes() const { return layout_.arena_bytes; }
  std::size_t workspace_bytes() const { return workspace_bytes_; }

  // Points every view at memory; called again when an arena or the parameters have moved.
  // `inputs` holds the memory of each output of Input.
  void attach(std::byte* arena, const std::vector<DeviceBlock>& inputs);
  LayerViews& views(int node) { return views_[static_cast<std::size_t>(node)]; }
  const LayerViews& views(int node) const { return views_[static_cast<std::size_t>(node)]; }

  // Internals with given content (a recorded dropout mask): layers ask for them instead of drawing their own.
  struct Given {
    int node = -1, slot = -1;
    HostArray value;
  };
  void forward(Handler& handler, std::uint64_t random_step, const std::vector<Given>& given, ContextStore& contexts);
  // `takers`: by the store's entries, null where a gradient is to be written; or none at all.
  void backward(Handler& handler, std::span<GradientTaker* const> takers = {});

  // For contexts.
  Shape input_shape(int node, int slot) const;
  Shape output_shape(int node, int slot) const;
  void keep_plan(int node, int slot, std::unique_ptr<Plan> plan);
  const PackedWeight* packed(int node, int parameter, int task) const;
  const SparsePattern* pattern(int node, int parameter, int task) const;
  WeightRef weight(const LayerViews& views, int parameter, int task) const;
  Sink gradient(const LayerViews& views, int parameter, int task) const;
  Sink gradient_once(const LayerViews& views, int parameter) const;
  ConstTensor backward_input(const LayerViews& views, int slot) const;
  ConstTensor backward_output(const LayerViews& views, int slot) const;
  Tensor backward_output_with_context(const LayerViews& views, int slot) const;
  std::uint64_t random_step() const { return random_step_; }
  Index first_step(int time_symbol) const { return contexts_ == nullptr ? 0 : contexts_->first_step(time_symbol); }
  bool is_given(int node, int slot) const;
  // Position in layout().buffers, -1 if the buffer does not exist in this pass.
  int output_buffer(int node, int slot) const {
    return refs_[static_cast<std::size_t>(node)].outputs[static_cast<std::size_t>(slot)];
  }
  int delta_buffer(int node, int slot) const {
    return refs_[static_cast<std::size_t>(node)].deltas[static_cast<std::size_t>(slot)];
  }
  int internal_buffer(int node, int slot) const {
    return refs_[static_cast<std::size_t>(node)].internals[static_cast<std::size_t>(slot)];
  }

 private:
  struct BufferRefs {  // indices into layout_.buffers
    std::vector<int> outputs, internals, deltas, kept_deltas, reserves;
  };
  void size_views();
  void prepare_plans(Handler& handler);
  std::vector<Interval> collect_buffers();
  void collect_node(int node, std::vector<Interval>& buffers);
  void extend_lifetimes(std::vector<Interval>& buffers) const;
  void attach_outputs(int node, std::byte* arena, const std::vector<DeviceBlock>& inputs);
  void attach_inputs(int node);
  ConstTensor source_view(const Source& source) const;
  void attach_parameters(int node);
  void attach_plans(int node, std::byte* arena);
  void list_zero_fills();
  bool pinned(const Node& node, const OutputInfo& output) const;
  bool keeps_delta(const Node& node, const OutputInfo& output) const;
  bool needed_by_own_backward(int node, const OutputInfo& output) const;
  int forward_time(int node) const { return node; }
  int backward_time(int node) const { return 2 * static_cast<int>(views_.size()) - 1 - node; }
  int end_time() const { return 2 * static_cast<int>(views_.size()); }
  Tensor buffer_view(int buffer, std::byte* arena, DType dtype, const Shape& shape) const;
  DType real(DType t) const { return is_real(t) ? real_ : t; }

  const Graph& graph_;
  std::shared_ptr<const PassPlan> plan_;
  Sizes sizes_;
  ParameterStore& parameters_;
  DType real_;
  Options options_;
  std::vector<LayerViews> views_;
  std::vector<std::vector<Source>> zero_fills_;  // per node: deltas to clear before its backward
  std::vector<BufferRefs> refs_;
  Layout layout_;
  std::size_t workspace_bytes_ = 0;
  int workspace_buffer_ = -1;
  std::uint64_t random_step_ = 0;
  const std::vector<Given>* given_ = nullptr;
  const ContextStore* contexts_ = nullptr;  // of the last forward pass
  std::span<GradientTaker* const> takers_;  // of the backward pass that runs
};

}  // namespace squall
