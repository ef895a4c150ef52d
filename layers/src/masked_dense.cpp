// MaskedDense: BeyondML's dense layer, whose weights sparsification may mask.
#include "common/declarations.hpp"
#include "common/dense.hpp"
#include "squall/core/catalog.hpp"

namespace squall {

struct MaskedDenseOptions {
  Index units = 0;
  bool use_bias = true;
  Activation activation = Activation::Linear;
  bool sparsify = true;
  static constexpr auto fields =
      std::tuple{field("units", &MaskedDenseOptions::units, "number of units"),
                 field("use_bias", &MaskedDenseOptions::use_bias, "whether a bias is added"),
                 field("activation", &MaskedDenseOptions::activation, "linear, rel, tanh, sigmoid, el or softmax"),
                 field("sparsify", &MaskedDenseOptions::sparsify, "false: sparsification leaves these weights alone")};
};

class MaskedDense final : public LayerOf<MaskedDense, MaskedDenseOptions> {
 public:
  static constexpr std::string_view kType = "MaskedDense";
  static constexpr std::string_view kDoc =
      "y = f(W x + bias) with the features of x flattened; W (units, inputs) can be masked.";

  void declare(Declare& d) override {
    if (options.units < 1) d.fail("option 'units' should be a positive whole number, not ", options.units);
    x_ = d.input("default", "...");
    inputs_ = d.feature_size(x_);
    y_ = d.output("default", d.like(x_, Shape{options.units}));
    W_ = d.parameter("W", Shape{options.units, inputs_}, {.maskable = options.sparsify});
    if (options.use_bias) bias_ = d.parameter("bias", Shape{options.units}, {.bias = true});
    plan_ = d.plan<DensePlan>();
    d.backward_reads(x_, y_);
  }
  void prepare(Prepare& p) const override {
    p.keep(plan_, p.handler().dense().plan(dense_spec(p.rows(x_), inputs_, options.units, options.activation,
                                                      options.use_bias, p.packed(W_))));
  }
  void forward(Forward& f) const override {
    run_forward(f[plan_], f[x_], f.weight(W_), options.use_bias ? f[bias_] : ConstTensor(), f[y_]);
  }
  void backward(Backward& b) const override {
    run_backward(b[plan_], b[x_], b.weight(W_), b[y_], b.delta(y_), b.delta(x_), b.gradient(W_),
                 options.use_bias ? b.gradient(bias_) : Sink());
  }

 private:
  In x_;
  Out y_;
  Param W_, bias_;
  PlanSlot<DensePlan> plan_;
  Index inputs_ = 0;
};

void register_masked_dense(Catalog& catalog) { catalog.of<Layer>().add<MaskedDense>(); }

}  // namespace squall
