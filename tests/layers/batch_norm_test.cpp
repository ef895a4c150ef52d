#include "layers/cases.hpp"
#include "squall/core/network.hpp"
#include "support/handlers_under_test.hpp"

namespace {

using namespace squall;
using squall::testing::CaseInput;
using squall::testing::LayerCase;

SQUALL_LAYER_CASES(BatchNorm, {.name = "vector", .inputs = {{"default", {3}}}, .coupled = true, .tolerance_f32 = 2e-3},
                   {.name = "image",
                    .options = {{"decay", 0.7}, {"epsilon", 0.01}},
                    .inputs = {{"default", {3, 2, 4}}},
                    .coupled = true,
                    .tolerance_f32 = 2e-4,
                    .rejects = {{.options = {{"decay", 1.5}},
                                 .says = {"BatchNorm 'Layer'", "'decay' should be in [0, 1], not 1.5"}},
                                {.options = {{"epsilon", -1.0}}, .says = {"'epsilon' should not be negative"}}}})

TEST_CASE("BatchNorm keeps the negated mean and the deviation, and uses them when it does not train") {
  Catalog catalog;
  register_layers(catalog);
  Architecture a;
  a.input({{"default", {"T", "B", 1}}});
  a["Input.default"] >> a.add("Norm", "BatchNorm", {{"decay", 0.75}, {"epsilon", 0.0}}) >> a.add("Loss", "Loss");
  Network net(a, catalog, squall::test::make_under_test("cpu:f64"), {.memory = MemoryMode::Inspectable});
  net.set_parameter("Norm.gamma", HostArray::of(Shape{1}, std::vector<double>{2.0}));
  net.set_parameter("Norm.beta", HostArray::of(Shape{1}, std::vector<double>{1.0}));
  net.provide({{{"default", HostArray::of(Shape{1, 2, 1}, std::vector<double>{4.0, 8.0})}}});
  CHECK(net.get("Norm.state.mu").value(0) == 0.0);
  CHECK(net.get("Norm.state.sigma").value(0) == 1.0);
  net.forward(Mode::Train);
  CHECK(net.get("Norm.outputs.default").doubles() == std::vector<double>{-1.0, 3.0});
  CHECK(net.get("Norm.state.mu").value(0) == Approx(0.25 * -6.0));
  CHECK(net.get("Norm.state.sigma").value(0) == Approx(0.75 + 0.25 * 2.0));
  net.forward(Mode::Eval);
  CHECK(net.get("Norm.outputs.default").value(0) == Approx(2.0 * (4.0 - 1.5) / 1.25 + 1.0));
  CHECK(net.get("Norm.state.mu").value(0) == Approx(-1.5));
}

}  // namespace
