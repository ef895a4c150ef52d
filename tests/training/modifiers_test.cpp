#include <cmath>

#include "training_support.hpp"

using namespace training_test;

namespace {

// W is (2, 3) of the only layer.
struct Case {
  explicit Case(const std::string& handler = "cpu:f64") : net(regressor(3, 2), handler) {
    net.network.set_parameter("Out.W", HostArray::of(Shape{2, 3}, weights));
    net.network.set_parameter("Out.bias", HostArray::of(Shape{2}, std::vector<double>{2, -3}));
    net.network.provide({{{"default", HostArray::of(Shape{1, 1, 3}, std::vector<double>{1, 2, 3})},
                          {"targets", HostArray::of(Shape{1, 1, 2}, std::vector<double>{0, 0})}}});
  }
  std::vector<double> weights{3, 0.5, -4, 0.25, -0.5, 0};
  Net net;
  std::vector<double> after_weights(const json& modifiers) {
    net.network.forward(Mode::Train);
    net.network.set_weight_modifiers(modifiers);
    net.network.apply_weight_modifiers();
    return net.network.get("Out.parameters.W").doubles();
  }
  std::vector<double> gradients(const json& modifiers) {
    net.network.set_gradient_modifiers(modifiers);
    net.network.forward(Mode::Train);
    net.network.backward();
    return net.network.get("Out.gradients.W").doubles();
  }
};

}  // namespace

TEST_CASE("ClipValues keeps weights and gradients between bounds") {
  for (const std::string handler : {"cpu:f64", "cpu:f32", "debug:cpu:f64"}) {
    CHECK(Case(handler).after_weights({{"Out", {{"W", {{"@type", "ClipValues"}, {"low", -1}, {"high", 0.5}}}}}}) ==
          std::vector<double>{0.5, 0.5, -1, 0.25, -0.5, 0});
    const auto plain = Case(handler).gradients(nullptr);
    const auto clipped = Case(handler).gradients({{"default", {{"@type", "ClipValues"}, {"low", -2}, {"high", 3}}}});
    for (std::size_t i = 0; i < plain.size(); ++i) CHECK(clipped[i] == std::clamp(plain[i], -2.0, 3.0));
  }
  CHECK(mentions(complaint([] { make<Modifier>({{"@type", "ClipValues"}, {"low", 2}, {"high", 1}}); }), "'low'"));
}

TEST_CASE("ConstrainL2Norm scales long rows and leaves vectors alone") {
  Case c;
  const auto w = c.after_weights({{"default", {{"@type", "ConstrainL2Norm"}, {"limit", 1.0}}}});
  const double norm = std::sqrt(9 + 0.25 + 16);
  CHECK(w[0] == Approx(3 / norm));
  CHECK(w[1] == Approx(0.5 / norm));
  CHECK(w[2] == Approx(-4 / norm));
  CHECK(std::vector<double>(w.begin() + 3, w.end()) == std::vector<double>{0.25, -0.5, 0});
  CHECK(c.net.network.get("Out.parameters.bias").doubles() == std::vector<double>{2, -3});
}

TEST_CASE("L1Decay and L2Decay add to gradients, in the order written") {
  const auto plain = Case().gradients(nullptr);
  const Case c;
  const auto l1 = Case().gradients({{"Out", {{"W", {{"@type", "L1Decay"}, {"factor", 0.5}}}}}});
  const auto both = Case().gradients(
      {{"Out", {{"W", {{{"@type", "L1Decay"}, {"factor", 0.5}}, {{"@type", "L2Decay"}, {"factor", 0.25}}}}}}});
  for (std::size_t i = 0; i < plain.size(); ++i) {
    const double w = c.weights[i], sign = w > 0 ? 1 : w < 0 ? -1 : 0;
    CHECK(l1[i] == Approx(plain[i] + 0.5 * sign));
    CHECK(both[i] == Approx(plain[i] + 0.5 * sign + 0.25 * w));
  }
  CHECK(mentions(complaint([] {
                   Case().after_weights({{"default", {{"@type", "L2Decay"}, {"factor", 1}}}});
                 }),
                 "gradient_modifiers"));
}

TEST_CASE("MaskValues multiplies by its mask, also after it was described and read again") {
  const json described = make<Modifier>({{"@type", "MaskValues"}, {"mask", {{1, 0, 1}, {0, 1, 1}}}})->describe();
  CHECK(Case().after_weights({{"Out", {{"W", json::parse(described.dump())}}}}) ==
        std::vector<double>{3, 0, -4, 0, -0.5, 0});
  CHECK(mentions(complaint([] {
                   Case().after_weights({{"Out", {{"W", {{"@type", "MaskValues"}, {"mask", {1, 0}}}}}}});
                 }),
                 "Out.W"));
}

TEST_CASE("FreezeValues puts back what was given or first seen") {
  Case c;
  const json given = {{"Out", {{"W", {{"@type", "FreezeValues"}, {"weights", {{1, 2, 3}, {4, 5, 6}}}}}}}};
  CHECK(c.after_weights(given) == std::vector<double>{1, 2, 3, 4, 5, 6});
  Case d;
  CHECK(d.after_weights({{"Out", {{"W", {{"@type", "FreezeValues"}}}}}}) == d.weights);
  d.net.network.set_parameter("Out.W", HostArray::of(Shape{2, 3}, std::vector<double>(6, 9.0)));
  const auto& memory = d.net.network.handler().memory();
  const auto allocations = memory.allocations();
  d.net.network.apply_weight_modifiers();
  CHECK(d.net.network.get("Out.parameters.W").doubles() == d.weights);
  CHECK(memory.allocations() == allocations);
}
