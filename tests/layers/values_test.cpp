// Numbers worked out by hand, for what differences cannot see.
#include <cmath>

#include "squall/core/network.hpp"
#include "squall/layers/layers.hpp"
#include "support/catch.hpp"
#include "support/handlers_under_test.hpp"

namespace {

using namespace squall;
using Values = std::vector<double>;

const Catalog& layers() {
  static const Catalog catalog = [] {
    Catalog c;
    register_layers(c);
    return c;
  }();
  return catalog;
}

HostArray array(const Shape& shape, const Values& values) { return HostArray::of(shape, values); }

// Input.default -> Layer -> Loss, everything readable.
struct Single {
  Single(const json& shape, const std::string& type, const json& options, const std::string& output = "default") {
    Architecture a;
    a.input({{"default", shape}});
    a["Input.default"] >> a.add("Layer", type, options);
    a["Layer." + output] >> a.add("Loss", "Loss");
    NetworkOptions o{.memory = MemoryMode::Inspectable, .seed = 3, .wants_deltas = {"Input.*"}};
    net = std::make_unique<Network>(a, layers(), squall::test::make_under_test("cpu:f64"), o);
  }
  std::unique_ptr<Network> net;
};

TEST_CASE("Dropout scales what it keeps, and what goes back, by 1 / (1 - p)") {
  Single one({"T", "B", 1000}, "Dropout", {{"drop_prob", 0.25}});
  one.net->provide({{{"default", array(Shape{1, 1, 1000}, Values(1000, 3.0))}}});
  one.net->forward(Mode::Train);
  one.net->backward();
  const HostArray y = one.net->get("Layer.outputs.default");
  const HostArray mask = one.net->get("Layer.internals.mask");
  const HostArray dx = one.net->get("Input.output_deltas.default");
  int kept = 0;
  for (Index i = 0; i < 1000; ++i) {
    const bool keep = mask.value(i) != 0;
    kept += keep ? 1 : 0;
    CHECK(y.value(i) == Approx(keep ? 4.0 : 0.0));
    CHECK(dx.value(i) == Approx(keep ? 4.0 / 3.0 : 0.0));
  }
  CHECK(kept > 700);
  CHECK(kept < 800);
  one.net->forward(Mode::Train);
  CHECK_FALSE(one.net->get("Layer.internals.mask") == mask);
  one.net->forward(Mode::Eval);
  CHECK(one.net->get("Layer.outputs.default").doubles() == Values(1000, 3.0));
}

TEST_CASE("Loss divides by the batch size, not by time or features") {
  Single one({"T", "B", 2}, "NoOp", json::object());
  one.net->provide({{{"default", array(Shape{3, 2, 2}, Values(12, 1.0))}}});
  one.net->forward(Mode::Train);
  CHECK(one.net->total_loss() == Approx(6.0));
  one.net->backward();
  CHECK(one.net->get("Input.output_deltas.default").doubles() == Values(12, 0.5));
}

TEST_CASE("DeltasScaling reverses gradients with a negative factor") {
  Single one({"B", 2}, "DeltasScaling", {{"factor", -0.5}});
  one.net->provide({{{"default", array(Shape{1, 2}, {3.0, 4.0})}}});
  one.net->forward(Mode::Train);
  one.net->backward();
  CHECK(one.net->total_loss() == 7.0);
  CHECK(one.net->get("Input.output_deltas.default").doubles() == Values{-0.5, -0.5});
}

TEST_CASE("'same' padding is TensorFlow's: the odd pixel comes after") {
  Single one({"T", "B", 1, 4, 1}, "MaskedConv2D", {{"filters", 1}, {"kernel_size", {1, 3}}, {"strides", 2}});
  one.net->set_parameter("Layer.W", array(Shape{1, 1, 3, 1}, {100, 10, 1}));
  one.net->set_parameter("Layer.bias", array(Shape{1}, {0.0}));
  one.net->provide({{{"default", array(Shape{1, 1, 1, 4, 1}, {1, 2, 3, 4})}}});
  one.net->forward(Mode::Eval);
  CHECK(one.net->get("Layer.outputs.default").doubles() == Values{123, 340});

  Single even({"T", "B", 1, 3, 1}, "MaskedConv2D", {{"filters", 1}, {"kernel_size", {1, 2}}});
  even.net->set_parameter("Layer.W", array(Shape{1, 1, 2, 1}, {10, 1}));
  even.net->set_parameter("Layer.bias", array(Shape{1}, {0.0}));
  even.net->provide({{{"default", array(Shape{1, 1, 1, 3, 1}, {1, 2, 3})}}});
  even.net->forward(Mode::Eval);
  CHECK(even.net->get("Layer.outputs.default").doubles() == Values{12, 23, 30});
}

TEST_CASE("pooling never takes a pixel of the padding") {
  const json options{{"kernel_size", {1, 2}}, {"padding", {0, 1}}};
  const HostArray x = array(Shape{1, 1, 1, 2, 1}, {-4, -2});
  json max = options;
  max["type"] = "max";
  Single largest({"T", "B", 1, 2, 1}, "Pooling2D", max);
  largest.net->provide({{{"default", x}}});
  largest.net->forward(Mode::Eval);
  CHECK(largest.net->get("Layer.outputs.default").doubles() == Values{-4, -2, -2});
  json avg = options;
  avg["type"] = "avg";
  Single mean({"T", "B", 1, 2, 1}, "Pooling2D", avg);
  mean.net->provide({{{"default", x}}});
  mean.net->forward(Mode::Eval);
  CHECK(mean.net->get("Layer.outputs.default").doubles() == Values{-4, -3, -2});
}

TEST_CASE("losses are clipped at -ln(1e-6), their gradients are not") {
  Architecture a;
  a.input({{"default", {"B", 2}}, {"targets", {"B", 1}}});
  a["Input.default"] >> a.add("Criterion", "SoftmaxCE");
  a["Input.targets"] >> a["Criterion.targets"];
  a["Criterion.loss"] >> a.add("Loss", "Loss");
  Network net(a, layers(), squall::test::make_under_test("cpu:f64"), {.wants_deltas = {"Input.default"}});
  net.provide({{{"default", array(Shape{1, 2}, {50, -50})}, {"targets", array(Shape{1, 1}, {1})}}});
  net.forward(Mode::Train);
  net.backward();
  CHECK(net.total_loss() == Approx(-std::log(1e-6)));
  CHECK(net.get("Input.output_deltas.default").doubles() == Values{1.0, -1.0});
}

TEST_CASE("predictions need no targets, and deltas arriving at them are ignored") {
  Architecture a;
  a.input({{"default", {"B", 3}}, {"targets", {"B", 3}}});
  a["Input.default"] >> a.add("Dense", "FullyConnected", {{"size", 3}}) >> a.add("Criterion", "SquaredError");
  a["Input.targets"] >> a["Criterion.targets"];
  a["Criterion.loss"] >> a.add("Loss", "Loss");
  Architecture with_reader = a;
  with_reader["Criterion.predictions"] >> with_reader.add("Other", "Loss", {{"importance", 100.0}});
  const auto gradient = [](const Architecture& architecture) {
    Network net(architecture, layers(), squall::test::make_under_test("cpu:f64"));
    net.set_parameter("Dense.W", array(Shape{3, 3}, {1, 2, 3, -1, 2, 1, 0, 1, 1}));
    net.provide({{{"default", array(Shape{1, 3}, {1, 2, 3})}}});
    net.forward(net.pass(Mode::Eval, {"Criterion.predictions"}));
    CHECK(net.get("Criterion.outputs.predictions").doubles() == Values{14, 6, 5});
    net.provide({{{"targets", array(Shape{1, 3}, {10, 8, 5})}}});
    net.forward(Mode::Train);
    net.backward();
    return net.get("Dense.gradients.bias").doubles();
  };
  CHECK(gradient(a) == Values{4, -2, 0});
  CHECK(gradient(with_reader) == Values{4, -2, 0});
}

TEST_CASE("a head of one task trains its slice and leaves the others alone") {
  Architecture a;
  a.input({{"one", {"B_one", 2}}, {"two", {"B_two", 2}}});
  a.add("Multi", "MultiMaskedDense", {{"tasks", {"one", "two"}}, {"units", 1}});
  for (const std::string task : {"one", "two"}) {
    a["Input." + task] >> a["Multi." + task];
    a["Multi." + task] >> a.add("Loss_" + task, "Loss");
  }
  Network net(a, layers(), squall::test::make_under_test("cpu:f64"));
  net.set_parameter("Multi.W", array(Shape{2, 1, 2}, {1, 2, 3, 4}));
  net.provide({{{"two", array(Shape{1, 2}, {5, 6})}}});
  net.forward(net.pass(Mode::Train, {"Loss_two"}));
  net.backward();
  CHECK(net.total_loss() == 39.0);
  CHECK(net.get("Multi.gradients.W").doubles() == Values{0, 0, 5, 6});
  CHECK(net.get("Multi.gradients.bias").doubles() == Values{0, 1});
  net.provide({{{"one", array(Shape{2, 2}, {1, 1, 2, 2})}}});
  net.forward(net.pass(Mode::Train, {"Loss_one", "Loss_two"}));
  net.backward();
  CHECK(net.get("Multi.gradients.W").doubles() == Values{1.5, 1.5, 5, 6});
}

TEST_CASE("masked weights count as zero and get no gradient") {
  Single one({"B", 3}, "MaskedDense", {{"units", 2}});
  one.net->set_parameter("Layer.W", array(Shape{2, 3}, {1, 2, 3, 4, 5, 6}));
  one.net->set_parameter("Layer.bias", array(Shape{2}, {0, 0}));
  ParameterEntry* W = one.net->store().find("Layer", "W");
  REQUIRE(W != nullptr);
  one.net->store().set_mask(*W, HostArray::of(Shape{2, 3}, std::vector<std::uint8_t>{1, 0, 1, 0, 1, 0}));
  one.net->provide({{{"default", array(Shape{1, 3}, {1, 10, 100})}}});
  one.net->forward(Mode::Train);
  one.net->backward();
  CHECK(one.net->get("Layer.outputs.default").doubles() == Values{301, 50});
  CHECK(one.net->get("Layer.gradients.W").doubles() == Values{1, 0, 100, 0, 10, 0});
  CHECK(one.net->get("Input.output_deltas.default").doubles() == Values{1, 5, 3});
}

TEST_CASE("units on the last axis see each place by itself") {
  Single one({"B", 2, 3}, "MaskedDense", {{"units", 2}, {"last_axis", true}});
  one.net->set_parameter("Layer.W", array(Shape{2, 3}, {1, 2, 3, 4, 5, 6}));
  one.net->set_parameter("Layer.bias", array(Shape{2}, {0.5, 0}));
  one.net->provide({{{"default", array(Shape{1, 2, 3}, {1, 10, 100, 0, 1, 0})}}});
  one.net->forward(Mode::Train);
  one.net->backward();
  CHECK(one.net->get("Layer.outputs.default").shape() == Shape{1, 2, 2});
  CHECK(one.net->get("Layer.outputs.default").doubles() == Values{321.5, 654, 2.5, 5});
  CHECK(one.net->get("Layer.gradients.W").doubles() == Values{1, 11, 100, 1, 11, 100});
  CHECK(one.net->get("Input.output_deltas.default").doubles() == Values{5, 7, 9, 5, 7, 9});
}

}  // namespace
