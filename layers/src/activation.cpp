// Activation: the functions of the field, one by one element, and softmax over the last axis.
#include "common/activation_function.hpp"
#include "common/log_softmax.hpp"
#include "squall/core/catalog.hpp"

namespace squall {

class ActivationLayer final : public LayerOf<ActivationLayer, ActivationLayerOptions> {
 public:
  static constexpr std::string_view kType = "Activation";
  static constexpr std::string_view kDoc =
      "y = f(x) for every element; softmax and logsoftmax work over the last axis, the channels of images.";

  void declare(Declare& d) override {
    rule_ = activation_rule(d, options.function, options);
    x_ = d.input("default", "...");
    y_ = d.output("default", d.like(x_));
    if (options.function == ActivationFunction::LogSoftmax) log_softmax_.declare(d, x_);
    if (rule_.curve) {
      d.backward_reads(x_);
    } else if (options.function != ActivationFunction::Affine) {
      d.backward_reads(y_);
    }
  }
  void forward(Forward& f) const override {
    ElementwiseOps& each = f.handler().elementwise();
    const CurveNumbers& n = rule_.numbers;
    if (rule_.curve) return each.curve(*rule_.curve, f[x_], f[y_], n);
    if (rule_.activation) return each.activate(*rule_.activation, f[x_], f[y_]);
    if (options.function == ActivationFunction::Affine) return each.affine(f[x_], n.a, n.b, f[y_]);
    if (options.function == ActivationFunction::Softmax) return f.handler().linalg().softmax(f[x_], f[y_]);
    log_softmax_.forward(f, f[x_], f[y_]);
  }
  void backward(Backward& b) const override {
    ElementwiseOps& each = b.handler().elementwise();
    const Tensor dy = b.delta(y_);
    const Sink dx = b.delta(x_);
    if (rule_.curve) return each.curve_back(*rule_.curve, b[x_], dy, dx, rule_.numbers);
    if (rule_.activation) return each.activate_back(*rule_.activation, b[y_], dy, dx);
    if (options.function == ActivationFunction::Affine) return each.affine(dy, rule_.numbers.a, 0.0, dx);
    if (options.function == ActivationFunction::Softmax) return b.handler().linalg().softmax_back(b[y_], dy, dx);
    log_softmax_.backward(b, b[y_], dy, dx);
  }

 private:
  ActivationRule rule_;
  LogSoftmaxRows log_softmax_;
  In x_;
  Out y_;
};

void register_activation(Catalog& catalog) { catalog.of<Layer>().add<ActivationLayer>(); }

}  // namespace squall
