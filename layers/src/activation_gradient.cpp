// ActivationGradient: what an activation sends back, as something that goes forward.
#include "common/activation_function.hpp"
#include "common/declarations.hpp"
#include "squall/core/catalog.hpp"

namespace squall {

class ActivationGradient final : public LayerOf<ActivationGradient, ActivationLayerOptions> {
 public:
  static constexpr std::string_view kType = "ActivationGradient";
  static constexpr std::string_view kDoc =
      "y = f'(x) q: what Activation with the same options, at x (input 'x'), sends back when q (default) comes to it. "
      "With TiedDense (transposed) a way to write gradients of a network with respect to its inputs as a network, so "
      "that a loss of them can be trained (GradientPenalty). Backward uses f''.";

  void declare(Declare& d) override {
    rule_ = activation_rule(d, options.function, options);
    affine_ = options.function == ActivationFunction::Affine;
    if (!rule_.curve && !rule_.activation && !affine_)
      d.fail("option 'function' should be a function of single elements, not ", enum_name(options.function));
    q_ = d.input("default", "...");
    x_ = d.input("x", "...");
    require_equal(d, "default", q_, "x", x_);
    y_ = d.output("default", d.like(q_));
    if (rule_.activation) value_ = d.internal("value", d.like(q_));
    d.backward_reads(q_, x_);
  }
  void forward(Forward& f) const override {
    ElementwiseOps& each = f.handler().elementwise();
    if (affine_) return each.affine(f[q_], rule_.numbers.a, 0.0, f[y_]);
    if (rule_.curve) return each.curve_back(*rule_.curve, f[x_], f[q_], Sink(f[y_]), rule_.numbers);
    each.activate(*rule_.activation, f[x_], f[value_]);
    each.activate_back(*rule_.activation, f[value_], f[q_], Sink(f[y_]));
  }
  void backward(Backward& b) const override {
    ElementwiseOps& each = b.handler().elementwise();
    const Tensor dy = b.delta(y_);
    const Sink dx = b.delta(x_);
    if (affine_) {
      each.affine(dy, rule_.numbers.a, 0.0, b.delta(q_));
      if (dx && dx.mode == Write::Overwrite) each.fill(dx.to, 0.0);
    } else if (rule_.curve) {
      each.curve_back(*rule_.curve, b[x_], dy, b.delta(q_), rule_.numbers);
      each.binary(Binary::Multiply, dy, b[q_], dy);
      each.curve_second(*rule_.curve, b[x_], dy, dx, rule_.numbers);
    } else {
      each.activate_back(*rule_.activation, b[value_], dy, b.delta(q_));
      each.binary(Binary::Multiply, dy, b[q_], dy);
      each.activate_second(*rule_.activation, b[value_], dy, dx);
    }
  }

 private:
  ActivationRule rule_;
  bool affine_ = false;
  In q_, x_;
  Out y_;
  Internal value_;
};

void register_activation_gradient(Catalog& catalog) { catalog.of<Layer>().add<ActivationGradient>(); }

}  // namespace squall
