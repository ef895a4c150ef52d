// What a layer is given in its four functions. Handles come from declare() of the same layer.
#pragma once

#include <memory>
#include <string_view>

#include "squall/core/binding.hpp"
#include "squall/core/graph.hpp"
#include "squall/core/handler.hpp"
#include "squall/core/random.hpp"

namespace squall {

struct InputOptions {
  DType dtype = DType::F32;    // F32: the handler's real type
  bool differentiable = true;  // false: the layer sends nothing back here
};
struct OutputOptions {
  Index context = 0;
  bool takes_delta = true;
  bool loss = false;
  DType dtype = DType::F32;
};
struct ParameterOptions {
  std::optional<double> initial = std::nullopt;
  bool task_axis = false;
  bool maskable = false;
  bool bias = false;
  bool patterned = false;  // see Prepare::pattern()
};
struct InternalOptions {
  DType dtype = DType::F32;
  Index context = 0;
  Life life = Life::Both;
};

class Declare {
 public:
  // Throws ConfigError when the input is not connected or does not match the template (see ShapeTemplate).
  In input(std::string_view name, std::string_view shape_template, const InputOptions& options = {});
  bool connected(std::string_view input) const;
  const BufferShape& shape(In in) const;
  const Shape& features(In in) const { return shape(in).features; }
  Index feature_size(In in) const { return shape(in).feature_size(); }

  Out output(std::string_view name, const BufferShape& shape, const OutputOptions& options = {});
  Param parameter(std::string_view name, const Shape& shape, const ParameterOptions& options = {});
  // Puts a learned mask over a parameter (see learned_mask.hpp); the layer sees what the mask leaves.
  void mask(Param p, const std::shared_ptr<const LearnedMask>& mask);
  State state(std::string_view name, const Shape& shape, double initial);
  Internal internal(std::string_view name, const BufferShape& shape, const InternalOptions& options = {});
  template <class P>
  PlanSlot<P> plan() {
    return {node_.plans++};
  }
  // The shape of `in` with other features.
  BufferShape like(In in, const Shape& features) const;
  BufferShape like(In in) const { return shape(in); }
  // A shape of JSON: ["T", "B", 784]; T and B may carry a suffix ("B_digits").
  BufferShape shape_of(const json& extents, std::string_view what);

  // What backward() reads; everything else may be gone by then.
  template <class... Slots>
  void backward_reads(Slots... slots) {
    (reads(slots), ...);
  }
  // `out` is computed from these inputs only (default: from all).
  void depends(Out out, std::initializer_list<In> inputs);
  void tasks(std::vector<std::string> names) { node_.tasks = std::move(names); }
  // Rejects the layer; the message gets the layer's type and name in front. Shapes show the names of their sizes.
  template <class... Parts>
  [[noreturn]] void fail(const Parts&... parts) const {
    raise<ConfigError>(node_.layer->type(), " '", node_.name, "': ", shown(parts)...);
  }

 private:
  friend class GraphBuilder;
  struct Incoming {
    std::string input;
    Source source;
    std::string path;  // "Layer.output", for messages
    BufferShape shape;
    DType dtype;
    bool dtype_open;  // decided by its readers
  };
  Declare(Node& node, Symbols& symbols, std::vector<Incoming> incoming)
      : node_(node), symbols_(symbols), incoming_(std::move(incoming)) {}
  const Incoming* find(std::string_view input) const;
  template <class T>
  const T& shown(const T& part) const {
    return part;
  }
  std::string shown(const BufferShape& shape) const { return shape.text(symbols_); }
  void reads(In in) { node_.inputs[static_cast<std::size_t>(in.index)].read_in_backward = true; }
  void reads(Out out) { node_.outputs[static_cast<std::size_t>(out.index)].read_in_backward = true; }

  Node& node_;
  Symbols& symbols_;
  std::vector<Incoming> incoming_;
};

// Choosing plans for one binding.
class Prepare {
 public:
  Prepare(Binding& binding, int node, Handler& handler) : binding_(binding), node_(node), handler_(handler) {}
  Handler& handler() const { return handler_; }
  bool training() const { return binding_.training(); }
  bool active(Out out) const { return binding_.views(node_).active[static_cast<std::size_t>(out.index)] != 0; }
  Shape shape(In in) const { return binding_.input_shape(node_, in.index); }
  Shape shape(Out out) const { return binding_.output_shape(node_, out.index); }
  Index rows(In in) const;  // time x batch, 1 where absent
  // The packed weight of a parameter (of slice `task` where it has a task axis), or null.
  const PackedWeight* packed(Param p, int task = 0) const;
  // The entries that are all there is of such a weight (declared `patterned`), for the spec of its plan; or null.
  const SparsePattern* pattern(Param p, int task = 0) const;
  template <class P>
  void keep(PlanSlot<P> slot, std::unique_ptr<P> plan) {
    binding_.keep_plan(node_, slot.index, std::move(plan));
  }

 private:
  Binding& binding_;
  int node_;
  Handler& handler_;
};

// Common to both passes.
class Pass {
 public:
  Pass(Binding& binding, int node, Handler& handler)
      : binding_(binding), views_(binding.views(node)), handler_(handler) {}
  Handler& handler() const { return handler_; }
  // False for a frozen layer that has states, too: it uses them and changes nothing.
  bool training() const { return binding_.training(views_.index); }
  // Whether anybody wants this output now; the others need not be computed (and have no memory, unless they are
  // named in backward_reads() and can be computed from inputs that are there).
  bool active(Out out) const { return views_.active[at(out.index)] != 0; }
  ConstTensor operator[](Param p) const { return views_.parameters[at(p.index)]; }
  // Weights of slice `task` (the whole tensor without a task axis).
  WeightRef weight(Param p) const { return binding_.weight(views_, p.index, -1); }
  WeightRef weight(Param p, int task) const { return binding_.weight(views_, p.index, task); }
  Tensor operator[](Internal i) const { return views_.internals[at(i.index)]; }
  template <class P>
  P& operator[](PlanSlot<P> slot) const {
    return static_cast<P&>(*views_.plans[at(slot.index)]);
  }
  // Extents of time and batch of an input; 1 where the axis is absent.
  Index time(In in) const { return views_.input_time[at(in.index)]; }
  Index batch(In in) const { return views_.input_batch[at(in.index)]; }
  // How many steps of these sequences earlier passes have seen (see Start::Continue).
  Index first_step(In in) const { return binding_.first_step(views_.node->inputs[at(in.index)].shape.time); }
  // Whether this internal already holds what it should (see Network::give_internal), so that nothing must be drawn.
  bool given(Internal i) const { return binding_.is_given(views_.index, i.index); }
  RandomKey random() const { return {views_.random_key, binding_.random_step()}; }

 protected:
  static std::size_t at(int index) { return static_cast<std::size_t>(index); }
  Binding& binding_;
  LayerViews& views_;
  Handler& handler_;
};

class Forward : public Pass {
 public:
  using Pass::Pass;
  using Pass::operator[];
  ConstTensor operator[](In in) const { return views_.inputs[at(in.index)]; }  // empty: not needed in this pass
  Tensor operator[](Out out) const { return views_.outputs[at(out.index)]; }
  Tensor with_context(Out out) const { return views_.outputs_with_context[at(out.index)]; }
  Tensor operator[](State s) const { return views_.states[at(s.index)]; }
};

class Backward : public Pass {
 public:
  using Pass::Pass;
  using Pass::operator[];
  // Only what declare() named in backward_reads(); anything else throws.
  ConstTensor operator[](In in) const { return binding_.backward_input(views_, in.index); }
  ConstTensor operator[](Out out) const { return binding_.backward_output(views_, out.index); }
  ConstTensor operator[](State s) const { return views_.states[at(s.index)]; }
  Tensor with_context(Out out) const { return binding_.backward_output_with_context(views_, out.index); }
  Tensor delta(Out out) const { return views_.deltas[at(out.index)]; }  // empty: nobody sent one
  Sink delta(In in) const { return views_.sinks[at(in.index)]; }        // empty: nobody wants one
  Sink gradient(Param p) const { return views_.gradients[at(p.index)]; }
  // The same for a layer that gives it to one plan, once, and has no use for the weight after that: an update may be
  // done along the way.
  Sink gradient_once(Param p) const { return binding_.gradient_once(views_, p.index); }
  // Of slice `task`, as weight(p, task) is its value (the whole one for -1).
  Sink gradient(Param p, int task) const { return binding_.gradient(views_, p.index, task); }
};

}  // namespace squall
