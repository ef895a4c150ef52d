// A layer of your own, in your own program: define it, run squall's property tests on it, train with it.
//
// Square computes y = scale / 2 x^2. How each part works is told in docs/writing_a_layer.md.
#include <cstdio>

#include "squall/core/catalog.hpp"
#include "squall/core/contexts.hpp"
#include "squall/core/network.hpp"
#include "squall/core/ops/elementwise.hpp"
#include "squall/core/ops/optim.hpp"
#include "squall/handlers/make_handler.hpp"
#include "squall/layers/layers.hpp"
#include "squall/testing/layer_case.hpp"

namespace {

using namespace squall;

struct SquareOptions {
  double scale = 1.0;
  static constexpr auto fields = std::tuple{field("scale", &SquareOptions::scale, "factor of the result")};
};

class Square final : public LayerOf<Square, SquareOptions> {
 public:
  static constexpr std::string_view kType = "Square";
  static constexpr std::string_view kDoc = "y = scale / 2 x^2";

  void declare(Declare& d) override {
    x_ = d.input("default", "...");
    y_ = d.output("default", d.like(x_));
    d.backward_reads(x_);
  }
  void forward(Forward& f) const override {
    f.handler().elementwise().unary(Unary::Square, f[x_], f[y_]);
    f.handler().elementwise().affine(f[y_], options.scale / 2, 0.0, f[y_]);
  }
  void backward(Backward& b) const override {
    const Tensor dy = b.delta(y_);
    b.handler().elementwise().affine(dy, options.scale, 0.0, dy);  // deltas of outputs may be destroyed
    b.handler().elementwise().binary(Binary::Multiply, dy, b[x_], b.delta(x_));
  }

 private:
  In x_;
  Out y_;
};

bool has_the_properties_of_a_layer(Catalog& catalog) {
  testing::LayerCase c;
  c.name = "matrix";
  c.type = "Square";
  c.options = {{"scale", 3.0}};
  c.inputs = {{"default", {2, 3}}};
  const auto failures = testing::check_layer(c, catalog);
  for (const auto& failure : failures) std::printf("%s\n", failure.c_str());
  return failures.empty();
}

// Learns that t = 1/2 (a - 2 b)^2, from 64 examples of a and b.
double train(const Catalog& catalog) {
  Architecture a;
  a.input({{"default", {"T", "B", 2}}, {"targets", {"T", "B", 1}}});
  a["Input.default"] >> a.add("Dense", "FullyConnected", {{"size", 1}, {"activation", "linear"}}) >>
      a.add("Square", "Square") >> a.add("Error", "SquaredError");
  a["Input.targets"] >> a["Error.targets"];
  a["Error.loss"] >> a.add("Loss", "Loss");

  Network net(a, catalog, make_handler("cpu:f32"));
  Rng rng(42, "data");
  HostArray inputs(DType::F32, Shape{1, 64, 2});
  HostArray targets(DType::F32, Shape{1, 64, 1});
  for (Index i = 0; i < 64; ++i) {
    const double first = rng.normal();
    const double second = rng.normal();
    inputs.set_value(2 * i, first);
    inputs.set_value(2 * i + 1, second);
    targets.set_value(i, 0.5 * (first - 2 * second) * (first - 2 * second));
  }
  net.initialize({{"Dense", {{"W", {{0.3, -0.4}}}, {"bias", 0}}}}, 42);
  net.provide({{{"default", inputs}, {"targets", targets}}});
  const PassId pass = net.pass(Mode::Train);
  for (int step = 0; step < 500; ++step) {
    net.forward(pass);
    net.backward();
    if (step % 100 == 0) std::printf("step %3d  loss %.6f\n", step, net.total_loss());
    for (const auto& piece : net.trainable()) {
      UpdateRange range;
      range.value = net.parameters().slice(piece.offset, piece.elements);
      range.gradient = net.gradients().slice(piece.offset, piece.elements);
      range.write = piece.write;
      net.handler().optim().sgd(range, 0.03);
    }
    net.parameters_changed();
  }
  net.forward(pass);
  const HostArray w = net.get("Dense.parameters.W");
  std::printf("loss %.2g, weights %.3f and %.3f\n", net.total_loss(), w.value(0), w.value(1));
  return net.total_loss();
}

}  // namespace

int main() {
  Catalog catalog;
  register_layers(catalog);
  catalog.of<Layer>().add<Square>();
  if (!has_the_properties_of_a_layer(catalog)) return 1;
  std::printf("Square has all properties of a layer\n");
  return train(catalog) < 1e-4 ? 0 : 1;
}
