// Layers of the tests of core with states, noise, tasks, integer inputs, and some that misbehave.
#pragma once

#include "support/graph_layers.hpp"

namespace graph_test {

// y = x + count; count grows by one in each training pass. A gain that is 1 unless somebody says otherwise.
class CountingLayer final : public LayerOf<CountingLayer, NoOptions> {
 public:
  static constexpr std::string_view kType = "Counting", kDoc = "Has a state.";
  void declare(Declare& d) override {
    x_ = d.input("default", "...");
    y_ = d.output("default", d.like(x_));
    gain_ = d.parameter("gain", Shape{d.features(x_)[-1]}, {.initial = 1.0});
    count_ = d.state("count", Shape{d.features(x_)[-1]}, 5);
    d.backward_reads(x_);
  }
  void forward(Forward& f) const override {
    if (f.training()) f.handler().elementwise().affine(f[count_], 1, 1, f[count_]);
    f.handler().linalg().with_row(Binary::Multiply, f[x_], f[gain_], f[y_]);
    f.handler().linalg().with_row(Binary::Add, f[y_], f[count_], f[y_]);
  }
  void backward(Backward& b) const override {
    b.handler().linalg().with_row(Binary::Multiply, b.delta(y_), b[gain_], b.delta(x_));
    if (const Sink g = b.gradient(gain_)) {
      const Tensor dy = b.delta(y_);
      b.handler().elementwise().binary(Binary::Multiply, dy, b[x_], dy);
      b.handler().linalg().sum_rows(dy, g);
    }
  }

 private:
  In x_;
  Out y_;
  Param gain_;
  State count_;
};

// y = x + noise in training.
class NoiseLayer final : public LayerOf<NoiseLayer, NoOptions> {
 public:
  static constexpr std::string_view kType = "Noise", kDoc = "Shakes.";
  void declare(Declare& d) override {
    x_ = d.input("default", "...");
    y_ = d.output("default", d.like(x_));
    noise_ = d.internal("noise", d.like(x_), {.life = Life::Forward});
  }
  void forward(Forward& f) const override {
    if (!f.training()) return f.handler().elementwise().unary(Unary::Copy, f[x_], f[y_]);
    f.handler().random().uniform(f.random(), -1, 1, f[noise_]);
    f.handler().elementwise().binary(Binary::Add, f[x_], f[noise_], f[y_]);
  }
  void backward(Backward& b) const override { b.handler().elementwise().unary(Unary::Copy, b.delta(y_), b.delta(x_)); }

 private:
  In x_;
  Out y_;
  Internal noise_;
};

// One slice of W and one bias for each task: output t = W[t] x_t + bias[t].
struct TasksOptions {
  std::vector<std::string> tasks;
  Index size = 1;
  static constexpr auto fields =
      std::tuple{field("tasks", &TasksOptions::tasks, "names"), field("size", &TasksOptions::size, "units")};
};
class TasksLayer final : public LayerOf<TasksLayer, TasksOptions> {
 public:
  static constexpr std::string_view kType = "Tasks", kDoc = "A slice each.";
  void declare(Declare& d) override {
    for (const auto& task : options.tasks) {
      x_.push_back(d.input(task, "T B F"));
      y_.push_back(d.output(task, d.like(x_.back(), Shape{options.size})));
      d.depends(y_.back(), {x_.back()});
      d.backward_reads(x_.back());
    }
    const auto count = static_cast<Index>(options.tasks.size());
    W_ = d.parameter("W", Shape{count, options.size, d.feature_size(x_[0])}, {.task_axis = true, .maskable = true});
    b_ = d.parameter("bias", Shape{count, options.size}, {.task_axis = true, .bias = true});
    d.tasks(options.tasks);
  }
  void forward(Forward& f) const override {
    for (std::size_t t = 0; t < x_.size(); ++t) {
      if (!f.active(y_[t])) continue;
      const auto task = static_cast<Index>(t);
      f.handler().linalg().matmul(f[x_[t]], ConstMatrix(f[W_].at(task)).T(), Matrix(f[y_[t]]));
      f.handler().linalg().with_row(Binary::Add, f[y_[t]], f[b_].at(task), f[y_[t]]);
    }
  }
  void backward(Backward& b) const override {
    for (std::size_t t = 0; t < x_.size(); ++t) {
      const auto task = static_cast<Index>(t);
      if (!b.delta(y_[t])) continue;
      const ConstMatrix dy(b.delta(y_[t]));
      b.handler().linalg().matmul(dy.T(), b[x_[t]], b.gradient(W_).at(task));
      b.handler().linalg().sum_rows(dy, b.gradient(b_).at(task));
      b.handler().linalg().matmul(dy, b[W_].at(task), b.delta(x_[t]));
    }
  }

 private:
  std::vector<In> x_;
  std::vector<Out> y_;
  Param W_, b_;
};

// first = 3 a, second = b: each depends on one input only.
class PairLayer final : public LayerOf<PairLayer, NoOptions> {
 public:
  static constexpr std::string_view kType = "Pair", kDoc = "Two in, two out.";
  void declare(Declare& d) override {
    a_ = d.input("a", "...");
    b_ = d.input("b", "...");
    first_ = d.output("first", d.like(a_));
    second_ = d.output("second", d.like(b_));
    d.depends(first_, {a_});
    d.depends(second_, {b_});
  }
  void forward(Forward& f) const override {
    if (f.active(first_)) f.handler().elementwise().affine(f[a_], 3, 0, f[first_]);
    if (f.active(second_)) f.handler().elementwise().affine(f[b_], 1, 0, f[second_]);
  }
  void backward(Backward& b) const override {
    if (b.delta(first_)) b.handler().elementwise().affine(b.delta(first_), 3, 0, b.delta(a_));
    if (b.delta(second_)) b.handler().elementwise().affine(b.delta(second_), 1, 0, b.delta(b_));
  }

 private:
  In a_, b_;
  Out first_, second_;
};

// y = x^3 by a plan: x^2 is kept in its reserve for backward, its workspace is used up in every call.
class CubePlan final : public Plan {
 public:
  CubePlan(Handler& h, const Shape& shape) : h_(h), shape_(shape) {}
  std::string_view kind() const override { return "test"; }
  std::size_t workspace_bytes() const override { return bytes(); }
  std::size_t reserve_bytes() const override { return bytes(); }
  void set_workspace(void* memory) override { workspace_ = Tensor(memory, h_.dtype(), shape_); }
  void set_reserve(void* memory) override { reserve_ = Tensor(memory, h_.dtype(), shape_); }
  void forward(const ConstTensor& x, const Tensor& y) {
    h_.elementwise().unary(Unary::Square, x, reserve_);
    h_.elementwise().unary(Unary::Copy, x, workspace_);
    h_.elementwise().binary(Binary::Multiply, workspace_, reserve_, y);
    h_.elementwise().fill(workspace_, 1e30);
  }
  void backward(const Tensor& dy, const Sink& dx) {
    h_.elementwise().affine(reserve_, 3, 0, workspace_);
    h_.elementwise().binary(Binary::Multiply, workspace_, dy, dx);
    h_.elementwise().fill(workspace_, 1e30);
  }

 private:
  std::size_t bytes() const { return static_cast<std::size_t>(shape_.elements()) * size_of(h_.dtype()); }
  Handler& h_;
  Shape shape_;
  Tensor workspace_, reserve_;
};
class CubeLayer final : public LayerOf<CubeLayer, NoOptions> {
 public:
  static constexpr std::string_view kType = "Cube", kDoc = "Has a plan.";
  void declare(Declare& d) override {
    x_ = d.input("default", "...");
    y_ = d.output("default", d.like(x_));
    plan_ = d.plan<CubePlan>();
  }
  void prepare(Prepare& p) const override { p.keep(plan_, std::make_unique<CubePlan>(p.handler(), p.shape(x_))); }
  void forward(Forward& f) const override { f[plan_].forward(f[x_], f[y_]); }
  void backward(Backward& b) const override { b[plan_].backward(b.delta(y_), b.delta(x_)); }

 private:
  In x_;
  Out y_;
  PlanSlot<CubePlan> plan_;
};

// Labels as whole numbers in, reals out; cannot be differentiated.
class LabelLayer final : public LayerOf<LabelLayer, NoOptions> {
 public:
  static constexpr std::string_view kType = "Label", kDoc = "Reads I32.";
  void declare(Declare& d) override {
    x_ = d.input("default", "T B 1", {.dtype = DType::I32, .differentiable = false});
    y_ = d.output("default", d.like(x_), {.takes_delta = false});
  }
  void forward(Forward& f) const override { f.handler().elementwise().cast(f[x_], f[y_]); }
  void backward(Backward&) const override {}

 private:
  In x_;
  Out y_;
};

// Reads its input in backward without having said so.
class PeekingLayer final : public LayerOf<PeekingLayer, NoOptions> {
 public:
  static constexpr std::string_view kType = "Peeking", kDoc = "Cheats.";
  void declare(Declare& d) override {
    x_ = d.input("default", "...");
    y_ = d.output("default", d.like(x_));
    W_ = d.parameter("W", Shape{1}, {.initial = 1.0});
  }
  void forward(Forward& f) const override { f.handler().elementwise().unary(Unary::Copy, f[x_], f[y_]); }
  void backward(Backward& b) const override { b.handler().elementwise().unary(Unary::Copy, b[x_], b.delta(x_)); }

 private:
  In x_;
  Out y_;
  Param W_;
};

// Writes one number behind its output.
class OverrunLayer final : public LayerOf<OverrunLayer, NoOptions> {
 public:
  static constexpr std::string_view kType = "Overrun", kDoc = "Writes too far.";
  void declare(Declare& d) override {
    x_ = d.input("default", "...");
    y_ = d.output("default", d.like(x_));
  }
  void forward(Forward& f) const override {
    f.handler().elementwise().unary(Unary::Copy, f[x_], f[y_]);
    auto* behind = static_cast<std::byte*>(f[y_].data()) + f[y_].bytes();
    f.handler().elementwise().fill(Tensor(behind, f.handler().dtype(), Shape{1}), 3);
  }
  void backward(Backward& b) const override { b.handler().elementwise().unary(Unary::Copy, b.delta(y_), b.delta(x_)); }

 private:
  In x_;
  Out y_;
};

// y = log(x): not finite for negative numbers.
class LogLayer final : public LayerOf<LogLayer, NoOptions> {
 public:
  static constexpr std::string_view kType = "Log", kDoc = "Logarithm.";
  void declare(Declare& d) override {
    x_ = d.input("default", "...");
    y_ = d.output("default", d.like(x_));
    d.backward_reads(x_);
  }
  void forward(Forward& f) const override { f.handler().elementwise().unary(Unary::Log, f[x_], f[y_]); }
  void backward(Backward& b) const override {
    b.handler().elementwise().binary(Binary::Divide, b.delta(y_), b[x_], b.delta(x_));
  }

 private:
  In x_;
  Out y_;
};

inline Catalog layer_catalog() {
  Catalog catalog;
  auto& layers = catalog.of<Layer>();
  layers.add<InputLayer>();
  layers.add<DenseLayer>();
  layers.add<TanhLayer>();
  layers.add<ProductLayer>();
  layers.add<AddLayer>();
  layers.add<ForkLayer>();
  layers.add<SquareLayer>();
  layers.add<LeakyLayer>();
  layers.add<ErrorLayer>();
  layers.add<LossLayer>();
  layers.add<CountingLayer>();
  layers.add<NoiseLayer>();
  layers.add<TasksLayer>();
  layers.add<PairLayer>();
  layers.add<CubeLayer>();
  layers.add<LabelLayer>();
  layers.add<PeekingLayer>();
  layers.add<OverrunLayer>();
  layers.add<LogLayer>();
  return catalog;
}

// Input -> Hid -> Act -> Out -> Error(targets) -> Loss
inline Architecture small_network(Index in = 3, Index hidden = 4, Index out = 2) {
  Architecture a;
  a.input({{"default", {"T", "B", in}}, {"targets", {"T", "B", out}}});
  a["Input.default"] >> a.add("Hid", "Dense", {{"size", hidden}}) >> a.add("Act", "Tanh") >>
      a.add("Out", "Dense", {{"size", out}}) >> a.add("Criterion", "Error");
  a["Input.targets"] >> a["Criterion.targets"];
  a["Criterion.loss"] >> a.add("Loss", "Loss");
  return a;
}

}  // namespace graph_test
