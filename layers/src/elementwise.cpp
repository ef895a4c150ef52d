// Elementwise: an activation by itself.
#include "squall/core/catalog.hpp"
#include "squall/core/contexts.hpp"
#include "squall/core/ops/linalg.hpp"

namespace squall {

struct ElementwiseOptions {
  Activation activation = Activation::Rel;
  static constexpr auto fields =
      std::tuple{field("activation", &ElementwiseOptions::activation, "rel, tanh, sigmoid, el, linear or softmax")};
};

class Elementwise final : public LayerOf<Elementwise, ElementwiseOptions> {
 public:
  static constexpr std::string_view kType = "Elementwise";
  static constexpr std::string_view kDoc = "y = f(x) for every element; softmax works over the last axis.";

  void declare(Declare& d) override {
    x_ = d.input("default", "...");
    y_ = d.output("default", d.like(x_));
    d.backward_reads(y_);
  }
  void forward(Forward& f) const override {
    if (options.activation == Activation::Softmax)
      f.handler().linalg().softmax(f[x_], f[y_]);
    else
      f.handler().elementwise().activate(options.activation, f[x_], f[y_]);
  }
  void backward(Backward& b) const override {
    if (options.activation == Activation::Softmax)
      b.handler().linalg().softmax_back(b[y_], b.delta(y_), b.delta(x_));
    else
      b.handler().elementwise().activate_back(options.activation, b[y_], b.delta(y_), b.delta(x_));
  }

 private:
  In x_;
  Out y_;
};

void register_elementwise(Catalog& catalog) { catalog.of<Layer>().add<Elementwise>(); }

}  // namespace squall
