// Where data enters: shapes, sizes and what is refused.
#include "squall/core/network.hpp"
#include "squall/layers/layers.hpp"
#include "support/catch.hpp"
#include "support/handlers_under_test.hpp"

namespace {

using namespace squall;

Catalog layers() {
  Catalog catalog;
  register_layers(catalog);
  return catalog;
}

std::string refusal(const json& out_shapes) {
  Architecture a;
  a.input(out_shapes);
  try {
    const Catalog catalog = layers();
    const Graph graph(a, catalog);
  } catch (const ConfigError& e) {
    return e.what();
  }
  return "accepted";
}

TEST_CASE("Input declares its outputs with time, batch and features") {
  const Catalog catalog = layers();
  Architecture a;
  a.input({{"default", {"T", "B", 2, 3}}, {"labels", {"B_other", 1}}, {"constant", {5}}});
  const Graph graph(a, catalog);
  const Node& input = graph.node(0);
  REQUIRE(input.outputs.size() == 3);
  CHECK(input.outputs[0].shape.text() == "(T, B, 2, 3)");
  CHECK(input.outputs[1].shape.text() == "(B, 1)");
  CHECK(input.outputs[1].shape.batch != input.outputs[0].shape.batch);
  CHECK(input.outputs[2].shape.text() == "(5)");
}

TEST_CASE("Input refuses shapes that are none") {
  using Catch::Contains;
  CHECK_THAT(refusal(json::object()), Contains("Input 'Input': option 'out_shapes' should name the data"));
  CHECK_THAT(refusal({{"default", 5}}), Contains("out_shapes.default should be a list like"));
  CHECK_THAT(refusal({{"default", {"B", "T", 5}}}), Contains("out_shapes.default is [\"B\",\"T\",5]"));
  CHECK_THAT(refusal({{"default", {"T", "B", 0}}}), Contains("0 should be T, B (first, in this order) or a positive"));
  CHECK_THAT(refusal({{"default", {"T", "B"}}}), Contains("there must be at least one feature axis"));
}

TEST_CASE("inputs that go to layers for labels are integers, others are the handler's numbers") {
  const Catalog catalog = layers();
  Architecture a;
  a.input({{"default", {"T", "B", 3}}, {"targets", {"T", "B", 1}}});
  a["Input.default"] >> a.add("Criterion", "SoftmaxCE");
  a["Input.targets"] >> a["Criterion.targets"];
  a["Criterion.loss"] >> a.add("Loss", "Loss");
  Network net(a, catalog, squall::test::make_under_test("cpu:f64"), {.memory = MemoryMode::Inspectable});
  net.provide({{{"default", HostArray(DType::F32, Shape{1, 2, 3})},
                {"targets", HostArray::of(Shape{1, 2, 1}, std::vector<double>{2, 0})}}});
  net.forward(Mode::Eval);
  CHECK(net.get("Input.outputs.targets").dtype() == DType::I32);
  CHECK(net.get("Input.outputs.default").dtype() == DType::F64);
  CHECK(net.total_loss() == Approx(std::log(3.0)));
  net.provide({{{"targets", HostArray::of(Shape{1, 2, 1}, std::vector<double>{2, 3})}}});
  CHECK_THROWS_AS(net.forward(Mode::Eval), DataError);
}

}  // namespace
