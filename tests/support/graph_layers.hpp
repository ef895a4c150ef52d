// Small layers of the tests of core: each shows one thing a layer may do. They compute with elementary operations only.
#pragma once

#include "squall/core/architecture.hpp"
#include "squall/core/catalog.hpp"
#include "squall/core/contexts.hpp"
#include "squall/core/ops/linalg.hpp"
#include "squall/core/ops/memory.hpp"
#include "squall/core/ops/random.hpp"

namespace graph_test {

using namespace squall;

struct InputOptions {
  json out_shapes = json::object();
  static constexpr auto fields = std::tuple{field("out_shapes", &InputOptions::out_shapes, "data")};
};
class InputLayer final : public LayerOf<InputLayer, InputOptions> {
 public:
  static constexpr std::string_view kType = "Input", kDoc = "Data.";
  void declare(Declare& d) override {
    for (const auto& [name, extents] : options.out_shapes.items()) d.output(name, d.shape_of(extents, name));
  }
  void forward(Forward&) const override {}
  void backward(Backward&) const override {}
};

// y = x W^T + bias over the flattened features.
struct DenseOptions {
  Index size = 1;
  static constexpr auto fields = std::tuple{field("size", &DenseOptions::size, "units")};
};
class DenseLayer final : public LayerOf<DenseLayer, DenseOptions> {
 public:
  static constexpr std::string_view kType = "Dense", kDoc = "Products.";
  void declare(Declare& d) override {
    x_ = d.input("default", "...");
    y_ = d.output("default", d.like(x_, Shape{options.size}));
    W_ = d.parameter("W", Shape{options.size, d.feature_size(x_)}, {.maskable = true});
    b_ = d.parameter("bias", Shape{options.size}, {.bias = true});
    lead_ = (d.shape(x_).scales_with_time() ? 1 : 0) + (d.shape(x_).scales_with_batch() ? 1 : 0);
    d.backward_reads(x_);
  }
  void forward(Forward& f) const override {
    f.handler().linalg().matmul(flatten(f[x_], lead_), ConstMatrix(f[W_]).T(), as_rows(f[y_]));
    f.handler().linalg().with_row(Binary::Add, f[y_], f[b_], f[y_]);
  }
  void backward(Backward& b) const override {
    const ConstMatrix dy(b.delta(y_));
    b.handler().linalg().matmul(dy.T(), flatten(b[x_], lead_), b.gradient(W_));
    b.handler().linalg().sum_rows(dy, b.gradient(b_));
    b.handler().linalg().matmul(dy, b[W_], flatten(b.delta(x_), lead_));
  }

 private:
  In x_;
  Out y_;
  Param W_, b_;
  int lead_ = 0;
};

// y = tanh(x), from the output; destroys dy as a layer may.
class TanhLayer final : public LayerOf<TanhLayer, NoOptions> {
 public:
  static constexpr std::string_view kType = "Tanh", kDoc = "Squashes.";
  void declare(Declare& d) override {
    x_ = d.input("default", "...");
    y_ = d.output("default", d.like(x_));
    d.backward_reads(y_);
  }
  void forward(Forward& f) const override { f.handler().elementwise().activate(Activation::Tanh, f[x_], f[y_]); }
  void backward(Backward& b) const override {
    const Tensor dy = b.delta(y_);
    b.handler().elementwise().activate_back(Activation::Tanh, b[y_], dy, dy);
    b.handler().elementwise().unary(Unary::Copy, dy, b.delta(x_));
    b.handler().elementwise().fill(dy, 777);
  }

 private:
  In x_;
  Out y_;
};

// y = a b, from both inputs.
class ProductLayer final : public LayerOf<ProductLayer, NoOptions> {
 public:
  static constexpr std::string_view kType = "Product", kDoc = "Multiplies.";
  void declare(Declare& d) override {
    a_ = d.input("a", "...");
    b_ = d.input("b", "...");
    if (d.shape(a_) != d.shape(b_)) d.fail("inputs differ: a is ", d.shape(a_), ", b is ", d.shape(b_));
    y_ = d.output("default", d.like(a_));
    d.backward_reads(a_, b_);
  }
  void forward(Forward& f) const override { f.handler().elementwise().binary(Binary::Multiply, f[a_], f[b_], f[y_]); }
  void backward(Backward& b) const override {
    b.handler().elementwise().binary(Binary::Multiply, b.delta(y_), b[b_], b.delta(a_));
    b.handler().elementwise().binary(Binary::Multiply, b.delta(y_), b[a_], b.delta(b_));
  }

 private:
  In a_, b_;
  Out y_;
};

// y = a + b; reads nothing in backward.
class AddLayer final : public LayerOf<AddLayer, NoOptions> {
 public:
  static constexpr std::string_view kType = "Add", kDoc = "Adds.";
  void declare(Declare& d) override {
    a_ = d.input("a", "...");
    b_ = d.input("b", "...");
    if (d.shape(a_) != d.shape(b_)) d.fail("inputs differ: a is ", d.shape(a_), ", b is ", d.shape(b_));
    y_ = d.output("default", d.like(a_));
  }
  void forward(Forward& f) const override { f.handler().elementwise().binary(Binary::Add, f[a_], f[b_], f[y_]); }
  void backward(Backward& b) const override {
    b.handler().elementwise().unary(Unary::Copy, b.delta(y_), b.delta(a_));
    b.handler().elementwise().unary(Unary::Copy, b.delta(y_), b.delta(b_));
  }

 private:
  In a_, b_;
  Out y_;
};

// left = 2 x, right = -x; computes and differentiates only what is wanted.
class ForkLayer final : public LayerOf<ForkLayer, NoOptions> {
 public:
  static constexpr std::string_view kType = "Fork", kDoc = "Two ways.";
  void declare(Declare& d) override {
    x_ = d.input("default", "...");
    left_ = d.output("left", d.like(x_));
    right_ = d.output("right", d.like(x_));
  }
  void forward(Forward& f) const override {
    if (f.active(left_)) f.handler().elementwise().affine(f[x_], 2, 0, f[left_]);
    if (f.active(right_)) f.handler().elementwise().affine(f[x_], -1, 0, f[right_]);
  }
  void backward(Backward& b) const override {
    Sink dx = b.delta(x_);
    if (!dx) return;
    for (const auto& [out, factor] : {std::pair{left_, 2.0}, std::pair{right_, -1.0}}) {
      if (!b.delta(out)) continue;
      b.handler().elementwise().affine(b.delta(out), factor, 0, dx);
      dx.mode = Write::Add;
    }
  }

 private:
  In x_;
  Out left_, right_;
};

// y = x^2 from a copy kept in an internal buffer; other internals hold scratch that nobody may rely on.
class SquareLayer final : public LayerOf<SquareLayer, NoOptions> {
 public:
  static constexpr std::string_view kType = "Square", kDoc = "Squares.";
  void declare(Declare& d) override {
    x_ = d.input("default", "...");
    y_ = d.output("default", d.like(x_));
    kept_ = d.internal("kept", d.like(x_));
    scratch_ = d.internal("scratch", d.like(x_), {.life = Life::Forward});
    back_ = d.internal("back", d.like(x_), {.life = Life::Backward});
    flags_ = d.internal("flags", d.like(x_), {.dtype = DType::U8, .life = Life::Forward});
  }
  void forward(Forward& f) const override {
    auto& e = f.handler().elementwise();
    e.unary(Unary::Copy, f[x_], f[kept_]);
    e.unary(Unary::Copy, f[x_], f[scratch_]);
    f.handler().memory().zero(f[flags_]);
    e.binary(Binary::Multiply, f[kept_], f[scratch_], f[y_]);
  }
  void backward(Backward& b) const override {
    b.handler().elementwise().affine(b[kept_], 2, 0, b[back_]);
    b.handler().elementwise().binary(Binary::Multiply, b[back_], b.delta(y_), b.delta(x_));
  }

 private:
  In x_;
  Out y_;
  Internal kept_, scratch_, back_, flags_;
};

// y[t] = x[t] + y[t - 1] / 2 with one row of context.
class LeakyLayer final : public LayerOf<LeakyLayer, NoOptions> {
 public:
  static constexpr std::string_view kType = "Leaky", kDoc = "Remembers.";
  void declare(Declare& d) override {
    x_ = d.input("default", "T B ...");
    y_ = d.output("default", d.like(x_), {.context = 1});
  }
  void forward(Forward& f) const override {
    const Tensor y = f.with_context(y_);
    for (Index t = 0; t < f.time(x_); ++t) {
      f.handler().elementwise().affine(y.at(t), 0.5, 0, y.at(t + 1));
      f.handler().elementwise().binary(Binary::Add, y.at(t + 1), f[x_].at(t), y.at(t + 1));
    }
  }
  void backward(Backward& b) const override {
    const Tensor dy = b.delta(y_);
    for (Index t = b.time(x_) - 1; t > 0; --t)
      b.handler().elementwise().affine(dy.at(t), 0.5, 0, Sink(dy.at(t - 1), Write::Add));
    b.handler().elementwise().unary(Unary::Copy, dy, b.delta(x_));
  }

 private:
  In x_;
  Out y_;
};

// loss = 1/2 sum (x - targets)^2 per example; targets get no delta.
class ErrorLayer final : public LayerOf<ErrorLayer, NoOptions> {
 public:
  static constexpr std::string_view kType = "Error", kDoc = "Compares.";
  void declare(Declare& d) override {
    x_ = d.input("default", "...");
    t_ = d.input("targets", "...", {.differentiable = false});
    if (d.shape(x_) != d.shape(t_)) d.fail("inputs differ: default is ", d.shape(x_), ", targets is ", d.shape(t_));
    loss_ = d.output("loss", d.like(x_, Shape{1}));
    difference_ = d.internal("difference", d.like(x_));
    square_ = d.internal("square", d.like(x_), {.life = Life::Forward});
    lead_ = (d.shape(x_).scales_with_time() ? 1 : 0) + (d.shape(x_).scales_with_batch() ? 1 : 0);
  }
  void forward(Forward& f) const override {
    f.handler().elementwise().binary(Binary::Subtract, f[x_], f[t_], f[difference_]);
    f.handler().elementwise().unary(Unary::Square, f[difference_], f[square_]);
    f.handler().linalg().sum_columns(flatten(f[square_], lead_), f[loss_]);
    f.handler().elementwise().affine(f[loss_], 0.5, 0, f[loss_]);
  }
  void backward(Backward& b) const override {
    if (const Sink dx = flatten(b.delta(x_), lead_))
      b.handler().linalg().with_column(Binary::Multiply, flatten(b[difference_], lead_), b.delta(loss_), dx);
  }

 private:
  In x_, t_;
  Out loss_;
  Internal difference_, square_;
  int lead_ = 0;
};

// The sum of everything times `importance`: a root of back-propagation.
struct LossOptions {
  double importance = 1;
  static constexpr auto fields = std::tuple{field("importance", &LossOptions::importance, "factor")};
};
class LossLayer final : public LayerOf<LossLayer, LossOptions> {
 public:
  static constexpr std::string_view kType = "Loss", kDoc = "Minimised.";
  void declare(Declare& d) override {
    x_ = d.input("default", "...");
    loss_ = d.output("loss", BufferShape{-1, -1, Shape{1}}, {.takes_delta = false, .loss = true});
  }
  void forward(Forward& f) const override {
    f.handler().linalg().sum_all(f[x_], f[loss_]);
    f.handler().elementwise().affine(f[loss_], options.importance, 0, f[loss_]);
  }
  void backward(Backward& b) const override {
    const Sink dx = b.delta(x_);
    if (!dx) return;
    if (dx.mode == Write::Overwrite)
      b.handler().elementwise().fill(dx.to, options.importance);
    else
      b.handler().elementwise().affine(dx.to, 1, options.importance, dx.to);
  }

 private:
  In x_;
  Out loss_;
};

}  // namespace graph_test
