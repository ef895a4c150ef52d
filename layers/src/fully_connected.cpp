// FullyConnected: brainstorm's dense layer.
#include "common/declarations.hpp"
#include "common/dense.hpp"
#include "squall/core/catalog.hpp"

namespace squall {

struct FullyConnectedOptions {
  std::optional<Extents> size;
  Activation activation = Activation::Rel;
  static constexpr auto fields =
      std::tuple{field("size", &FullyConnectedOptions::size,
                       "number of units, or the features of the output: 10 or [3, 4]; without "
                       "it those of the input"),
                 field("activation", &FullyConnectedOptions::activation, "rel, tanh, sigmoid, el, linear or softmax")};
};

class FullyConnected final : public LayerOf<FullyConnected, FullyConnectedOptions> {
 public:
  static constexpr std::string_view kType = "FullyConnected";
  static constexpr std::string_view kDoc =
      "y = f(W x + bias) with the features of x flattened; W (units, inputs), bias (units).";

  void declare(Declare& d) override {
    x_ = d.input("default", "...");
    const Shape size = options.size ? options.size->shape() : d.features(x_);
    if (options.activation == Activation::Softmax && size.rank() > 1)
      d.fail("activation softmax needs a size of one axis, not ", size);
    units_ = size.elements();
    y_ = d.output("default", d.like(x_, size));
    W_ = d.parameter("W", Shape{units_, d.feature_size(x_)});
    bias_ = d.parameter("bias", Shape{units_}, {.bias = true});
    plan_ = d.plan<DensePlan>();
    inputs_ = d.feature_size(x_);
    d.backward_reads(x_, y_);
  }
  void prepare(Prepare& p) const override {
    DenseSpec spec = dense_spec(p.rows(x_), inputs_, units_, options.activation, true, p.packed(W_));
    spec.constant = !p.training();
    p.keep(plan_, p.handler().dense().plan(spec));
  }
  void forward(Forward& f) const override { run_forward(f[plan_], f[x_], f.weight(W_), f[bias_], f[y_]); }
  void backward(Backward& b) const override {
    run_backward(b[plan_], b[x_], b.weight(W_), b[y_], b.delta(y_), b.delta(x_), b.gradient_once(W_),
                 b.gradient(bias_));
  }

 private:
  In x_;
  Out y_;
  Param W_, bias_;
  PlanSlot<DensePlan> plan_;
  Index units_ = 0, inputs_ = 0;
};

void register_fully_connected(Catalog& catalog) { catalog.of<Layer>().add<FullyConnected>(); }

}  // namespace squall
