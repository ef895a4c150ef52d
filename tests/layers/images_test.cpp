// What layers of images do that differences cannot see: looking ahead, places, switches, weights stored sparse.
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

// Input.default -> First -> Layer -> Loss.
Network chain(const json& shape, const std::string& first, const json& first_options, const std::string& type,
              const json& options, const std::string& handler = "cpu:f64") {
  Architecture a;
  a.input({{"default", shape}});
  a["Input.default"] >> a.add("First", first, first_options);
  a["First.default"] >> a.add("Layer", type, options);
  a["Layer.default"] >> a.add("Loss", "Loss");
  NetworkOptions o{.memory = MemoryMode::Inspectable, .wants_deltas = {"Input.*"}};
  return {a, layers(), squall::test::make_under_test(handler), o};
}

HostArray counted(const Shape& shape) {
  HostArray a(DType::F64, shape);
  for (Index i = 0; i < a.elements(); ++i) a.set_value(i, static_cast<double>(i * 7 % 11) - 5);
  return a;
}

TEST_CASE("FilterLayer is turned while its network lives and its position is a state") {
  Network net = chain({"B", 3}, "NoOp", json::object(), "FilterLayer", json::object());
  const Values data{1, -2, 3};
  net.provide({{{"default", HostArray::of(Shape{1, 3}, data)}}});
  for (const bool on : {true, false, true}) {
    net.set_parameter("Layer.is_on", HostArray::of(Shape{1}, Values{on ? 1.0 : 0.0}));
    net.forward(Mode::Train);
    CHECK(net.get("Layer.outputs.default").doubles() == (on ? data : Values{0, 0, 0}));
    net.backward();
    CHECK(net.get("Input.output_deltas.default").doubles() == Values(3, on ? 1.0 : 0.0));
    CHECK(net.get_states().at(0).value(0) == (on ? 1.0 : 0.0));
  }
}

TEST_CASE("MaxPool2D tells which pixel of the plane was the maximum") {
  Network net = chain({"B", 3, 4, 2}, "NoOp", json::object(), "MaxPool2D",
                      {{"kernel_size", 2}, {"padding", {1, 0}}, {"return_indices", true}});
  HostArray x(DType::F64, Shape{1, 3, 4, 2});
  for (Index i = 0; i < 24; ++i) x.set_value(i, i % 2 == 0 ? static_cast<double>(i) : -static_cast<double>(i));
  net.provide({{{"default", x}}});
  net.forward(Mode::Eval);
  CHECK(net.get("Layer.outputs.indices").doubles() == Values{1, 0, 3, 2, 9, 4, 11, 6});
}

TEST_CASE("Causal padding: no output sees a later input") {
  for (const int dilation : {1, 2}) {
    Network net = chain({"B", 9, 2}, "NoOp", json::object(), "Conv1D",
                        {{"filters", 3}, {"kernel_size", 3}, {"padding", "causal"}, {"dilation", dilation}});
    net.set_parameter("Layer.W", counted(Shape{3, 3, 2}));
    HostArray x = counted(Shape{1, 9, 2});
    net.provide({{{"default", x}}});
    net.forward(Mode::Eval);
    const HostArray before = net.get("Layer.outputs.default");
    REQUIRE(before.shape() == Shape{1, 9, 3});
    for (Index late = 5; late < 9; ++late) x.set_value(late * 2, 100);
    net.provide({{{"default", x}}});
    net.forward(Mode::Eval);
    const HostArray after = net.get("Layer.outputs.default");
    for (Index i = 0; i < 27; ++i) CHECK((before.value(i) == after.value(i)) == (i < 15));
  }
}

TEST_CASE("A convolution in groups is one convolution for each group") {
  Network both = chain({"B", 5, 4, 4}, "NoOp", json::object(), "Conv2D", {{"filters", 6}, {"groups", 2}});
  const HostArray x = counted(Shape{2, 5, 4, 4}), w = counted(Shape{6, 3, 3, 2});
  both.set_parameter("Layer.W", w);
  both.provide({{{"default", x}}});
  both.forward(Mode::Eval);
  const HostArray together = both.get("Layer.outputs.default");
  for (Index g = 0; g < 2; ++g) {
    Network one = chain({"B", 5, 4, 2}, "NoOp", json::object(), "Conv2D", {{"filters", 3}});
    HostArray part(DType::F64, Shape{2, 5, 4, 2});
    for (Index i = 0; i < part.elements(); ++i) part.set_value(i, x.value(i / 2 * 4 + g * 2 + i % 2));
    one.set_parameter("Layer.W", HostArray::copy_of(ConstTensor(w.view()).slice(g * 3, 3)));
    one.provide({{{"default", part}}});
    one.forward(Mode::Eval);
    const HostArray alone = one.get("Layer.outputs.default");
    for (Index i = 0; i < alone.elements(); ++i) CHECK(alone.value(i) == together.value(i / 3 * 6 + g * 3 + i % 3));
  }
}

struct SparseLayer {
  const char* type;
  json options;
  Shape features, weights;
};

TEST_CASE("Given weights are never trained and stored without their zeros they compute the same") {
  const std::vector<SparseLayer> all{
      {"SparseDense", {{"units", 4}, {"activation", "tanh"}}, Shape{6}, Shape{4, 6}},
      {"SparseConv2D", {{"filters", 4}, {"activation", "tanh"}}, Shape{5, 4, 2}, Shape{4, 3, 3, 2}},
      {"SparseConv3D", {{"filters", 4}, {"kernel_size", 2}, {"groups", 2}}, Shape{3, 4, 2, 2}, Shape{4, 2, 2, 2, 1}}};
  for (const SparseLayer& layer : all) {
    INFO(layer.type);
    json shape{"B"};
    for (const Index e : layer.features.extents()) shape.push_back(e);
    Network net = chain(shape, "Elementwise", {{"activation", "tanh"}}, layer.type, layer.options);
    HostArray w = counted(layer.weights);
    for (Index i = 0; i < w.elements(); ++i) w.set_value(i, i % 3 == 0 ? w.value(i) / 4 : 0);
    net.set_parameter("Layer.W", w);
    net.set_parameter("Layer.bias", counted(Shape{4}));
    net.provide({{{"default", counted(layer.features.with_front(3))}}});
    const auto run = [&](std::vector<HostArray>& results) {
      net.forward(Mode::Eval);
      results.push_back(net.get("Layer.outputs.default"));
      net.forward(Mode::Train);
      results.push_back(net.get("Layer.outputs.default"));
      net.backward();
      results.push_back(net.get("Input.output_deltas.default"));
    };
    std::vector<HostArray> dense, sparse;
    run(dense);
    CHECK(net.get("Layer.gradients.W").doubles() == Values(static_cast<std::size_t>(w.elements()), 0.0));
    CHECK(net.get("Layer.gradients.bias").doubles() == Values(4, 0.0));

    ParameterEntry& entry = *net.store().find("Layer", "W");
    const HostArray narrow = w.cast(DType::F32);
    const std::span<const float> values = narrow.span<float>();
    net.store().set_stored(entry, {PackedWeight::from_dense(values, 4, w.elements() / 4)});
    net.provide({{{"default", counted(layer.features.with_front(3))}}});
    run(sparse);
    for (std::size_t r = 0; r < dense.size(); ++r)
      for (Index i = 0; i < dense[r].elements(); ++i)
        CHECK(sparse[r].value(i) == Approx(dense[r].value(i)).margin(1e-6));
  }
}

}  // namespace
