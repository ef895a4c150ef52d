// The convolutional layers of one family: single or for several tasks, maskable, fixed or neither, of 1 to 3 axes.
#pragma once

#include <type_traits>

#include "common/convolution.hpp"
#include "squall/core/catalog.hpp"
#include "squall/core/ops/elementwise.hpp"

namespace squall {

template <int N>
struct ConvolutionOptions {
  static constexpr int kAxes = N;
  Index filters = 0;
  PerAxis<N> kernel_size = PerAxis<N>::all(3);
  PaddingOf<N> padding = PaddingOf<N>::same();
  PerAxis<N> strides = PerAxis<N>::all(1);
  std::optional<PerAxis<N>> stride;
  PerAxis<N> dilation = PerAxis<N>::all(1);
  Index groups = 1;
  PaddingMode padding_mode = PaddingMode::Zeros;
  Activation activation = Activation::Linear;
  bool use_bias = true;
  static constexpr auto fields = std::tuple{
      field("filters", &ConvolutionOptions::filters, "number of filters (of each task)"),
      field("kernel_size", &ConvolutionOptions::kernel_size, "extent of a filter: one number or one for each axis"),
      field("padding", &ConvolutionOptions::padding,
            "'same', 'valid', 'causal', a number, one for each axis or a pair [before, after] for each axis"),
      field("strides", &ConvolutionOptions::strides, "steps: one number or one for each axis"),
      field("stride", &ConvolutionOptions::stride, "another name of strides"),
      field("dilation", &ConvolutionOptions::dilation, "distance of a filter's taps; 1: neighbours"),
      field("groups", &ConvolutionOptions::groups,
            "parts of channels and filters; a filter sees the channels of its part"),
      field("padding_mode", &ConvolutionOptions::padding_mode,
            "what the padding is filled with: zeros, reflect, replicate or circular"),
      field("activation", &ConvolutionOptions::activation, "linear, rel, tanh, sigmoid, el or softmax"),
      field("use_bias", &ConvolutionOptions::use_bias, "whether a bias is added (one per task)")};
};

// The same with what makes weights maskable.
template <class Base>
struct Maskable : Base {
  bool sparsify = true;
  static constexpr auto fields = std::tuple_cat(
      Base::fields,
      std::tuple{field("sparsify", &Maskable::sparsify, "false: sparsification leaves these weights alone")});
};
// The same for several tasks.
template <class Base>
struct ForTasks : Base {
  std::vector<std::string> tasks;
  static constexpr auto fields = std::tuple_cat(
      std::tuple{field("tasks", &ForTasks::tasks, "names of the tasks; inputs and outputs are named after them")},
      Base::fields);
};

// The gradient of what is never trained.
inline void no_gradient(Backward& b, const Sink& gradient) {
  if (gradient && gradient.mode == Write::Overwrite) b.handler().elementwise().fill(gradient.to, 0.0);
}

// D has kType, kDoc and kFixed: whether its weights are given and never trained.
template <class D, class Options>
class ConvolutionLayer : public LayerOf<D, Options> {
 public:
  using LayerOf<D, Options>::options;

  void declare(Declare& d) override {
    if (options.filters < 1) d.fail("option 'filters' should be a positive whole number, not ", options.filters);
    if (options.stride && options.strides.values != PerAxis<Options::kAxes>::all(1).values)
      d.fail("options 'stride' and 'strides' mean the same; give one of them");
    ConvPath::Wanted wanted;
    const auto& stride = options.stride ? *options.stride : options.strides;
    wanted.how = sliding(options.kernel_size, stride, options.dilation, options.padding);
    wanted.filters = options.filters;
    wanted.groups = options.groups;
    wanted.mode = options.padding_mode;
    wanted.activation = options.activation;
    wanted.bias = options.use_bias;
    if constexpr (kMulti) {
      require_tasks(d, options.tasks);
      for (const auto& task : options.tasks) add_task(d, task, wanted);
      d.tasks(options.tasks);
    } else {
      paths_.emplace_back().declare(d, "default", wanted);
    }
    Shape weights = paths_[0].filter_shape();
    Shape biases{options.filters};
    if (kMulti) weights = weights.with_front(tasks()), biases = biases.with_front(tasks());
    ParameterOptions how{.task_axis = kMulti};
    if constexpr (requires { options.sparsify; }) how.maskable = options.sparsify;
    how.patterned = true;
    W_ = d.parameter("W", weights, how);
    if (options.use_bias) bias_ = d.parameter("bias", biases, {.task_axis = kMulti, .bias = true});
  }
  void prepare(Prepare& p) const override {
    for (int t = 0; t < tasks(); ++t)
      if (p.active(path(t).y())) path(t).prepare(p, p.packed(W_, t), D::kFixed, p.pattern(W_, t));
  }
  void forward(Forward& f) const override {
    for (int t = 0; t < tasks(); ++t) {
      if (!f.active(path(t).y())) continue;
      const ConstTensor bias = options.use_bias ? f[bias_] : ConstTensor();
      path(t).forward(f, f.weight(W_, kMulti ? t : -1), kMulti && bias ? bias.at(t) : bias);
    }
  }
  void backward(Backward& b) const override {
    if (D::kFixed) no_gradient(b, b.gradient(W_));
    if (D::kFixed && options.use_bias) no_gradient(b, b.gradient(bias_));
    for (int t = 0; t < tasks(); ++t) {
      if (!b.delta(path(t).y())) continue;
      const auto part = [&](Param p) { return D::kFixed ? Sink() : b.gradient(p, kMulti ? t : -1); };
      path(t).backward(b, b.weight(W_, kMulti ? t : -1), part(W_), options.use_bias ? part(bias_) : Sink());
    }
  }

 private:
  static constexpr bool kMulti = requires(Options o) { o.tasks; };
  int tasks() const { return static_cast<int>(paths_.size()); }
  const ConvPath& path(int t) const { return paths_[static_cast<std::size_t>(t)]; }
  void add_task(Declare& d, const std::string& name, const ConvPath::Wanted& wanted) {
    ConvPath task;
    task.declare(d, name, wanted);
    if (!paths_.empty() && task.channels() != paths_[0].channels())
      d.fail("all tasks of one layer need equal numbers of channels, but input '", this->first_task(), "' is ",
             d.shape(paths_[0].x()), " and '", name, "' is ", d.shape(task.x()));
    d.depends(task.y(), {task.x()});
    paths_.push_back(task);
  }
  std::string first_task() const {
    if constexpr (kMulti) return options.tasks[0];
    return "default";
  }

  std::vector<ConvPath> paths_;  // one for each task, or one
  Param W_, bias_;
};

}  // namespace squall
