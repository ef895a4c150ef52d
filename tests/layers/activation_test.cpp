// Activation, PReLU, GLU and what combines inputs: the properties of all layers, and values.
#include <cmath>

#include "layers/cases.hpp"
#include "squall/core/network.hpp"
#include "support/handlers_under_test.hpp"

namespace {

using namespace squall;
using squall::testing::LayerCase;
using squall::testing::Rejection;

LayerCase function(const std::string& name, json options = json::object()) {
  options["function"] = name;
  return {.name = name, .options = std::move(options), .inputs = {{"default", {2, 3}}}};
}
std::vector<LayerCase> functions() {
  std::vector<LayerCase> all;
  for (const std::string name :
       {"relu",        "relu6",      "leaky_relu", "elu",       "celu",       "selu",        "gelu",
        "gelu_tanh",   "silu",       "mish",       "sigmoid",   "logsigmoid", "hardsigmoid", "hardswish",
        "hardtanh",    "hardshrink", "softshrink", "softplus",  "softsign",   "tanh",        "tanhshrink",
        "exponential", "linear",     "softmax",    "logsoftmax"})
    all.push_back(function(name));
  all.push_back(function("affine", {{"slope", 2}, {"intercept", 1}}));
  all.push_back(function("celu", {{"alpha", 0.7}}));
  all.push_back(function("softplus", {{"beta", 2}, {"threshold", 1}}));
  all.back().rejects = {
      {.options = {{"function", "relu"}, {"beta", 2}}, .says = {"option 'beta' means nothing to relu"}},
      {.options = {{"function", "softplus"}, {"beta", 0}}, .says = {"option 'beta' should be above 0"}},
      {.options = {{"function", "softshrink"}, {"lambda", -1}}, .says = {"option 'lambda' should not be below 0"}},
      {.options = {{"function", "hardtanh"}, {"min_val", 2}}, .says = {"'min_val' should be below 'max_val'", "2"}}};
  return all;
}

const bool kHasActivation = squall::testing::add_cases("Activation", functions());

SQUALL_LAYER_CASES(Softmax, {.name = "last axis", .inputs = {{"default", {2, 3}}}},
                   {.name = "first axis", .options = {{"axis", 0}}, .inputs = {{"default", {4, 3}}}},
                   {.name = "in the middle of images",
                    .options = {{"axis", -2}},
                    .inputs = {{"default", {2, 4, 3}}},
                    .rejects = {{.options = {{"axis", 3}}, .says = {"option 'axis' should be from -3 to 2", "not 3"}},
                                {.options = {{"axis", -4}}, .says = {"option 'axis'", "not -4"}}}})

SQUALL_LAYER_CASES(PReLU, {.name = "one slope", .inputs = {{"default", {2, 3}}}},
                   {.name = "by channel",
                    .options = {{"num_parameters", 3}},
                    .inputs = {{"default", {2, 3}}},
                    .rejects = {{.options = {{"num_parameters", 2}}, .says = {"'num_parameters' should be 1 or 3"}}}})

SQUALL_LAYER_CASES(GLU, {.name = "halves",
                         .inputs = {{"default", {2, 6}}},
                         .rejects = {{.inputs = {{"default", {5}}}, .says = {"(T, B, 5) should be even"}}}})

SQUALL_LAYER_CASES(Multiply, {.name = "three",
                              .options = {{"tasks", {"a", "b", "c"}}},
                              .inputs = {{"a", {2, 3}}, {"b", {2, 3}}, {"c", {2, 3}}},
                              .rejects = {{.options = {{"tasks", {"a", "b"}}},
                                           .inputs = {{"a", {2}}, {"b", {3}}},
                                           .says = {"'a' and 'b' should have the same shape"}}}})

SQUALL_LAYER_CASES(
    Bilinear, {.name = "with bias", .options = {{"units", 2}}, .inputs = {{"default", {3}}, {"other", {4}}}},
    {.name = "rows without bias",
     .options = {{"units", 3}, {"use_bias", false}},
     .inputs = {{"default", {2, 3}}, {"other", {2, 2}}},
     .rejects = {{.options = {{"units", 0}}, .says = {"option 'units' should be a positive whole number, not 0"}},
                 {.options = {{"units", 2}},
                  .inputs = {{"default", {2, 3}}, {"other", {3, 3}}},
                  .says = {"may differ in their last axis only"}}}})

}  // namespace

TEST_CASE("Activation has the properties of a layer") {
  REQUIRE(kHasActivation);
  squall::testing::run_cases("Activation");
}

TEST_CASE("Activations stay finite and exact where their input is far from 0") {
  Catalog catalog;
  register_layers(catalog);
  const std::vector<double> far{-1000, 0, 1000};
  const std::map<std::string, std::vector<double>> want{{"mish", {0, 0, 1000}},
                                                        {"logsigmoid", {-1000, -std::log(2.0), 0}},
                                                        {"softplus", {0, std::log(2.0), 1000}},
                                                        {"softsign", {-1000.0 / 1001, 0, 1000.0 / 1001}},
                                                        {"hardswish", {0, 0, 1000}},
                                                        {"logsoftmax", {-2000, -1000, 0}}};
  for (const std::string handler : {"cpu:f64", "cpu:f32"})
    for (const auto& [name, values] : want) {
      INFO(name << " on " << handler);
      Architecture a;
      a.input({{"default", {"B", 3}}});
      a["Input.default"] >> a.add("Layer", "Activation", {{"function", name}});
      Network net(a, catalog, squall::test::make_under_test(handler), {.memory = MemoryMode::Inspectable});
      net.provide({{{"default", HostArray::of(Shape{1, 3}, far)}}});
      net.forward(Mode::Eval);
      const HostArray y = net.get("Layer.outputs.default");
      for (Index i = 0; i < 3; ++i) CHECK(y.value(i) == Approx(values[static_cast<std::size_t>(i)]).margin(1e-12));
    }
}

TEST_CASE("softmax adds up to one over the axis that was named and stays finite far from 0") {
  Catalog catalog;
  register_layers(catalog);
  for (const Index axis : {0, 1, 2, -1, -3})
    for (const char* handler : {"cpu:f64", "cpu:f32"}) {
      INFO("axis " << axis << " on " << handler);
      Architecture a;
      a.input({{"default", {"B", 2, 3, 4}}});
      a["Input.default"] >> a.add("Layer", "Softmax", {{"axis", axis}});
      Network net(a, catalog, squall::test::make_under_test(handler), {.memory = MemoryMode::Inspectable});
      HostArray x(DType::F64, Shape{2, 2, 3, 4});
      for (Index i = 0; i < 48; ++i)
        x.set_value(i, i % 7 == 0 ? 1e4 : i % 5 == 0 ? -1e4 : 0.3 * static_cast<double>(i % 11));
      net.provide({{{"default", x}}});
      net.forward(Mode::Eval);
      const HostArray y = net.get("Layer.outputs.default");
      const Index extents[] = {2, 3, 4}, at = axis < 0 ? axis + 3 : axis;
      const Index after = at == 0 ? 12 : at == 1 ? 4 : 1, extent = extents[at];
      for (Index i = 0; i < 48; ++i) {
        const Index first = i - i / after % extent * after;
        double sum = 0, largest = x.value(first);
        for (Index k = 0; k < extent; ++k) largest = std::max(largest, x.value(first + k * after));
        for (Index k = 0; k < extent; ++k) sum += std::exp(x.value(first + k * after) - largest);
        CHECK(y.value(i) == Approx(std::exp(x.value(i) - largest) / sum).epsilon(1e-5).margin(1e-12));
      }
    }
}

TEST_CASE("a product with zeros sends each input the product of the others") {
  Catalog catalog;
  register_layers(catalog);
  Architecture a;
  a.input({{"a", {"B", 3}}, {"b", {"B", 3}}, {"c", {"B", 3}}});
  const Port product = a.add("Layer", "Multiply", {{"tasks", {"a", "b", "c"}}});
  for (const char* name : {"a", "b", "c"}) a[std::string("Input.") + name] >> (name - product);
  product >> a.add("Loss", "Loss");
  Network net(a, catalog, squall::test::make_under_test("cpu:f64"),
              {.memory = MemoryMode::Inspectable, .wants_deltas = {"Input.*"}});
  const auto of = [](std::vector<double> v) { return HostArray::of(Shape{1, 3}, v); };
  net.provide({{{"a", of({0, 0, 2})}, {"b", of({3, 0, 5})}, {"c", of({4, 7, 0})}}});
  net.forward(Mode::Train);
  net.backward();
  CHECK(net.get("Input.output_deltas.a").doubles() == std::vector<double>{12, 0, 0});
  CHECK(net.get("Input.output_deltas.b").doubles() == std::vector<double>{0, 0, 0});
  CHECK(net.get("Input.output_deltas.c").doubles() == std::vector<double>{0, 0, 10});
}
