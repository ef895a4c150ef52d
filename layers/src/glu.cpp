// GLU: a gate for each output (Dauphin et al. 2017).
#include "squall/core/catalog.hpp"
#include "squall/core/contexts.hpp"
#include "squall/core/ops/linalg.hpp"

namespace squall {

class Glu final : public LayerOf<Glu, NoOptions> {
 public:
  static constexpr std::string_view kType = "GLU";
  static constexpr std::string_view kDoc = "The first half of the last axis times the sigmoid of the second half.";

  void declare(Declare& d) override {
    x_ = d.input("default", "...");
    const Index both = d.features(x_)[-1];
    if (both % 2 != 0) d.fail("the last extent of ", d.shape(x_), " should be even: values and their gates");
    half_ = both / 2;
    const BufferShape shape = d.like(x_, d.features(x_).with_last(half_));
    y_ = d.output("default", shape);
    gate_ = d.internal("gate", shape);
    value_ = d.internal("value", shape);
  }
  void forward(Forward& f) const override {
    ElementwiseOps& each = f.handler().elementwise();
    f.handler().linalg().copy_block(ConstMatrix(f[x_]).columns(0, half_), Matrix(f[value_]));
    f.handler().linalg().copy_block(ConstMatrix(f[x_]).columns(half_, half_), Matrix(f[gate_]));
    each.activate(Activation::Sigmoid, f[gate_], f[gate_]);
    each.binary(Binary::Multiply, f[value_], f[gate_], f[y_]);
  }
  void backward(Backward& b) const override {
    const Sink dx = b.delta(x_);
    if (!dx) return;
    ElementwiseOps& each = b.handler().elementwise();
    const Tensor dy = b.delta(y_), value = b[value_];
    each.binary(Binary::Multiply, dy, value, value);
    each.activate_back(Activation::Sigmoid, b[gate_], value, value);
    each.binary(Binary::Multiply, dy, b[gate_], dy);
    b.handler().linalg().copy_block(dy, MatrixSink(Matrix(dx.to).columns(0, half_), dx.mode));
    b.handler().linalg().copy_block(value, MatrixSink(Matrix(dx.to).columns(half_, half_), dx.mode));
  }

 private:
  Index half_ = 0;
  In x_;
  Out y_;
  Internal gate_, value_;
};

void register_glu(Catalog& catalog) { catalog.of<Layer>().add<Glu>(); }

}  // namespace squall
