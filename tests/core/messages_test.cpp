// What a user is told about shapes and sizes that cannot be.
#include "squall/core/network.hpp"
#include "squall/core/ops/memory.hpp"
#include "squall/handlers/make_handler.hpp"
#include "squall/layers/layers.hpp"
#include "support/catch.hpp"

using namespace squall;

namespace {

const Catalog& layers() {
  static const Catalog c = [] {
    Catalog made;
    register_layers(made);
    return made;
  }();
  return c;
}

template <class E>
std::string told(const std::function<void()>& f) {
  try {
    f();
  } catch (const E& e) {
    return e.what();
  }
  return {};
}

// a and b with batches of their own into one layer.
Architecture two_batches(const char* layer) {
  Architecture a;
  a.input({{"a", {"T", "B_a", 3}}, {"b", {"T", "B_b", 3}}});
  a["Input.a"] >> a.add("Both", layer, json::object());
  return a;
}

Architecture dense(Index size) {
  Architecture a;
  a.input({{"default", {"T", "B", 10}}});
  a["Input.default"] >> a.add("Hid", "FullyConnected", {{"size", size}});
  return a;
}

}  // namespace

TEST_CASE("shapes of buffers are told with the names of their sizes") {
  Symbols names;
  const BufferShape shape{names.id("T_long"), names.id("B_digits"), Shape{28, 3}};
  CHECK(shape.text() == "(T, B, 28, 3)");
  CHECK(shape.text(names) == "(T_long, B_digits, 28, 3)");
  CHECK(BufferShape{-1, names.id("B_x"), Shape{2}}.text(names) == "(B_x, 2)");
  CHECK(BufferShape{-1, -1, Shape{2}}.text(names) == "(2)");
  CHECK(*ShapeTemplate("B F").mismatch(shape, &names) == "expected (B F), got (T_long, B_digits, 28, 3)");
}

TEST_CASE("inputs of a layer and sources of an input that differ in a size are told apart") {
  Architecture elementwise = two_batches("SquaredDifference");
  elementwise.connect({"Input", "a", "Both", "inputs_1"});
  elementwise.connect({"Input", "b", "Both", "inputs_2"});
  Architecture joined = two_batches("FullyConnected");
  joined.connect({"Input", "b", "Both", "default"});
  for (const Architecture* a : {&elementwise, &joined}) {
    const std::string what = told<ConfigError>([&] { Graph graph(*a, layers()); });
    CHECK_THAT(what, Catch::Contains("(T, B_a, 3)") && Catch::Contains("(T, B_b, 3)"));
  }
}

TEST_CASE("problems that were found together stay apart when another report takes them over") {
  Problems found;
  found.add("network.a", "one");
  found.add("network.b", "two");
  Problems all;
  try {
    found.raise_if_any("the network cannot be used");
  } catch (const ConfigError& e) {
    REQUIRE(e.problems() != nullptr);
    all.add("network", e);
  }
  all.add("train", FileError("three"));
  CHECK(all.all() == std::vector<std::string>{"network.a: one", "network.b: two", "train: three"});
}

TEST_CASE("parameters and batches that no memory holds are refused with layer and bytes") {
  const auto handler = make_handler("cpu:f32");
  REQUIRE(handler->memory().capacity() > 0);
  CHECK_THAT(told<ConfigError>([&] { Graph graph(dense(Index{1} << 60), layers()); }),
             Catch::Contains("'Hid'") && Catch::Contains("EB"));
  CHECK_THAT(told<DeviceError>([&] { Network network(dense(Index{1} << 40), layers(), handler); }),
             Catch::Contains("'Hid'") && Catch::Contains("(1099511627776, 10)") && Catch::Contains("88 TB") &&
                 Catch::Contains("cpu:f32 has"));
  Network network(dense(4), layers(), handler);
  const PassId pass = network.pass(Mode::Train);
  CHECK_THAT(told<DeviceError>([&] {
               network.plan_memory(pass, {{"B", Index{1} << 60}});
             }),
             Catch::Contains("'Input'") && Catch::Contains("B = 1152921504606846976") && Catch::Contains("EB"));
  CHECK_THAT(told<DeviceError>([&] { handler->memory().allocate(handler->memory().capacity() + 1); }),
             Catch::Contains("no memory for") && Catch::Contains("in all"));
}

TEST_CASE("classes given as real numbers must be whole") {
  Architecture a;
  a.input({{"default", {"T", "B", 2}}, {"targets", {"T", "B", 1}}});
  a["Input.default"] >> a.add("Criterion", "SoftmaxCE");
  a["Input.targets"] >> a["Criterion.targets"];
  Network network(a, layers(), make_handler("cpu:f32"));
  const auto give = [&](double target) {
    Batch batch;
    batch.fields = {{"default", HostArray(DType::F32, {1, 1, 2})},
                    {"targets", HostArray::of(Shape{1, 1, 1}, std::vector<double>{target})}};
    network.provide(batch);
  };
  give(1);
  CHECK_THAT(told<DataError>([&] { give(0.5); }), Catch::Contains("Input.targets") && Catch::Contains("0.5"));
  CHECK_THAT(told<DataError>([&] { give(1e30); }), Catch::Contains("whole"));
}
