// The fully connected layers of one family: single or for several tasks, maskable, fixed or neither.
#pragma once

#include "common/convolution_layer.hpp"
#include "common/dense.hpp"

namespace squall {

struct DenseOptions {
  Index units = 0;
  bool use_bias = true;
  Activation activation = Activation::Linear;
  bool last_axis = false;
  static constexpr auto fields =
      std::tuple{field("units", &DenseOptions::units, "number of units (of each task)"),
                 field("use_bias", &DenseOptions::use_bias, "whether a bias is added (one per task)"),
                 field("activation", &DenseOptions::activation, "linear, rel, tanh, sigmoid, el or softmax"),
                 field("last_axis", &DenseOptions::last_axis,
                       "true: the last axis alone is what units see, each place of the other axes by itself, as in "
                       "Keras; false: all features are flattened")};
};

// D has kType, kDoc and kFixed: whether its weights are given and never trained.
template <class D, class Options>
class DenseLayer : public LayerOf<D, Options> {
 public:
  using LayerOf<D, Options>::options;

  void declare(Declare& d) override {
    if (options.units < 1) d.fail("option 'units' should be a positive whole number, not ", options.units);
    if constexpr (kMulti) {
      require_tasks(d, options.tasks);
      for (const auto& task : options.tasks) add_path(d, task);
      d.tasks(options.tasks);
    } else {
      add_path(d, "default");
    }
    Shape weights{options.units, inputs_}, biases{options.units};
    if (kMulti) weights = weights.with_front(tasks()), biases = biases.with_front(tasks());
    ParameterOptions how{.task_axis = kMulti};
    if constexpr (requires { options.sparsify; }) how.maskable = options.sparsify;
    how.patterned = true;
    W_ = d.parameter("W", weights, how);
    if (options.use_bias) bias_ = d.parameter("bias", biases, {.task_axis = kMulti, .bias = true});
  }
  void prepare(Prepare& p) const override {
    for (int t = 0; t < tasks(); ++t) {
      if (!p.active(path(t).y)) continue;
      const PackedWeight* packed = p.packed(W_, t);
      DenseSpec spec = dense_spec(p.rows(path(t).x) * path(t).places, inputs_, options.units, options.activation,
                                  options.use_bias, packed);
      spec.pattern = p.pattern(W_, t);
      spec.constant = !p.training();
      // Only reference plans go back through a packed weight.
      const bool slow = D::kFixed && packed != nullptr && p.training();
      p.keep(path(t).plan, slow ? p.handler().dense().reference(spec) : p.handler().dense().plan(spec));
    }
  }
  void forward(Forward& f) const override {
    for (int t = 0; t < tasks(); ++t) {
      if (!f.active(path(t).y)) continue;
      const ConstTensor bias = options.use_bias ? f[bias_] : ConstTensor();
      run_forward(f[path(t).plan], f[path(t).x], f.weight(W_, kMulti ? t : -1), kMulti && bias ? bias.at(t) : bias,
                  f[path(t).y]);
    }
  }
  void backward(Backward& b) const override {
    if (D::kFixed) no_gradient(b, b.gradient(W_));
    if (D::kFixed && options.use_bias) no_gradient(b, b.gradient(bias_));
    for (int t = 0; t < tasks(); ++t) {
      const Tensor dy = b.delta(path(t).y);
      if (!dy) continue;
      const auto part = [&](Param p) { return D::kFixed ? Sink() : b.gradient(p, kMulti ? t : -1); };
      run_backward(b[path(t).plan], b[path(t).x], b.weight(W_, kMulti ? t : -1), b[path(t).y], dy, b.delta(path(t).x),
                   kMulti || D::kFixed ? part(W_) : b.gradient_once(W_), options.use_bias ? part(bias_) : Sink());
    }
  }

 private:
  static constexpr bool kMulti = requires(Options o) { o.tasks; };
  struct Path {
    In x;
    Out y;
    PlanSlot<DensePlan> plan;
    std::string name;
    Index places = 1;  // rows of each example
  };
  int tasks() const { return static_cast<int>(paths_.size()); }
  const Path& path(int t) const { return paths_[static_cast<std::size_t>(t)]; }
  void add_path(Declare& d, const std::string& name) {
    Path path;
    path.name = name;
    path.x = d.input(name, "...");
    const Shape& seen = d.features(path.x);
    if (options.last_axis && seen.rank() < 1)
      d.fail("option 'last_axis' needs an input with an axis of features, but is ", d.shape(path.x));
    const Index size = options.last_axis ? seen[-1] : d.feature_size(path.x);
    if (options.last_axis && size > 0) path.places = d.feature_size(path.x) / size;
    if (paths_.empty()) inputs_ = size;
    if (size != inputs_)
      d.fail("all tasks of one layer need equal numbers of features, but input '", paths_[0].name, "' is ",
             d.shape(paths_[0].x), " and '", name, "' is ", d.shape(path.x));
    path.y = d.output(name, d.like(path.x, options.last_axis ? seen.with_last(options.units) : Shape{options.units}));
    path.plan = d.plan<DensePlan>();
    if (kMulti) d.depends(path.y, {path.x});
    d.backward_reads(path.x, path.y);
    paths_.push_back(path);
  }

  std::vector<Path> paths_;
  Param W_, bias_;
  Index inputs_ = 0;
};

}  // namespace squall
