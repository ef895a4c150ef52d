// Units that are dead for a task, through all layers, and that nothing changes without them.
#include "squall/training/dead_units.hpp"

#include "masks/mask_nets.hpp"
#include "squall/core/packed_weight.hpp"

using namespace squall;
using namespace squall::test;

namespace {

// Dense layers 6 -> 5 -> 4 -> 3, rel, masked as given: (layer, unit, input) that are dropped.
struct Chain {
  Network network{architecture(), catalog(), make_handler("cpu:f32")};
  static Architecture architecture() {
    Architecture a;
    a.input({{"default", {"T", "B", 6}}});
    a["Input.default"] >> a.add("one", "MaskedDense", {{"units", 5}, {"activation", "rel"}}) >>
        a.add("drop", "Dropout", {{"drop_prob", 0.5}}) >>
        a.add("two", "MaskedDense", {{"units", 4}, {"activation", "tanh"}}) >>
        a.add("three", "MaskedDense", {{"units", 3}});
    return a;
  }
  Chain() {
    network.initialize({{"default", {{"@type", "Gaussian"}}}, {"*", {{"bias", 0}}}}, 3);
    for (const auto* layer : {"one", "two", "three"}) {
      ParameterEntry& e = *network.store().find(layer, "W");
      HostArray keep(DType::U8, e.info->shape);
      std::ranges::fill(keep.span<std::uint8_t>(), std::uint8_t{1});
      network.store().set_mask(e, keep);
    }
  }
  void drop(const std::string& layer, Index unit, Index input) {  // -1: all
    ParameterEntry& e = *network.store().find(layer, "W");
    HostArray keep = e.mask;
    for (Index u = 0; u < e.info->shape[0]; ++u)
      for (Index i = 0; i < e.info->shape[1]; ++i)
        if ((unit < 0 || unit == u) && (input < 0 || input == i)) keep.set_value(u * e.info->shape[1] + i, 0);
    network.store().set_mask(e, keep);
  }
  Bytes needed(const std::string& layer, const DeadUnits& dead) {
    const ParameterEntry& e = *network.store().find(layer, "W");
    return dead.needed(e.node, e.slot, 0);
  }
  Index zeros_in_column(const Bytes& keep, Index columns, Index column) {
    Index n = 0;
    for (std::size_t i = static_cast<std::size_t>(column); i < keep.size(); i += static_cast<std::size_t>(columns))
      n += keep[i] == 0 ? 1 : 0;
    return n;
  }
};

}  // namespace

TEST_CASE("A unit without inputs goes from the next layer as well", "[dead]") {
  Chain c;
  c.drop("one", 2, -1);
  const DeadUnits dead(c.network, {"three.default"});
  CHECK(dead.dead("one", 0) == 1);
  CHECK(dead.dead("two", 0) == 0);
  CHECK(c.zeros_in_column(c.needed("two", dead), 5, 2) == 4);
  CHECK(count(c.needed("two", dead)) == 16);
}

TEST_CASE("A unit nobody reads loses its inputs and so on backwards", "[dead]") {
  Chain c;
  c.drop("three", -1, 1);                                         // unit 1 of two is not read
  c.drop("two", 0, 3), c.drop("two", 2, 3), c.drop("two", 3, 3);  // unit 3 of one is read by unit 1 only
  const DeadUnits dead(c.network, {"three.default"});
  CHECK(dead.dead("two", 0) == 1);
  CHECK(dead.dead("one", 0) == 1);
  CHECK(count(c.needed("one", dead)) == 24);
  CHECK(count(c.needed("two", dead)) == 3 * 4);
}

TEST_CASE("A unit with a bias is alive", "[dead]") {
  Chain c;
  c.drop("one", 2, -1);
  c.network.set_parameter("one.bias", HostArray::of(Shape{5}, std::vector<float>{0, 0, 0.5F, 0, 0}));
  CHECK(DeadUnits(c.network, {"three.default"}).dead("one", 0) == 0);
}

TEST_CASE("Death runs through chains of layers", "[dead]") {
  Chain c;
  for (Index i = 0; i < 5; ++i)
    if (i != 2) c.drop("two", 1, i);  // unit 1 of two reads unit 2 of one only
  c.drop("one", 2, -1);
  const DeadUnits dead(c.network, {"three.default"});
  CHECK(dead.dead("one", 0) == 1);
  CHECK(dead.dead("two", 0) == 1);
  CHECK(count(c.needed("three", dead)) == 9);
}

TEST_CASE("Dead filters take channels of the next convolution and inputs behind the flattening along", "[dead]") {
  NetOptions o;
  o.images = true;
  o.names = {"a", "b"};
  Net net(o);
  net.network.store().set(net.entry("conv", "bias"), HostArray(DType::F32, Shape{2, 5}));
  HostArray keep(DType::U8, net.entry("conv").info->shape);  // (2, 5, 3, 3, 2)
  for (Index i = 0; i < keep.elements(); ++i) {
    const Index task = i / 90, filter = i % 90 / 18;
    keep.set_value(i, task == 0 && (filter == 1 || filter == 4) ? 0 : 1);
  }
  net.network.store().set_mask(net.entry("conv"), keep);
  const DeadUnits dead(net.network, {"out.a", "out.b"});
  CHECK(dead.dead("conv", 0) == 2);
  CHECK(dead.dead("conv", 1) == 0);
  const ParameterEntry& hidden = net.entry("hidden");
  CHECK(count(dead.needed(hidden.node, hidden.slot, 0)) == 12 * 36 * 3);  // of 12 x 36 x 5
  CHECK(count(dead.needed(hidden.node, hidden.slot, 1)) == 12 * 36 * 5);
}

TEST_CASE("Stored without dead units networks answer the same", "[dead]") {
  for (const bool images : {false, true})
    for (const WeightFormat format : {WeightFormat::Dense, WeightFormat::Compacted, WeightFormat::Sparse}) {
      NetOptions o;
      o.images = images;
      Net net(o);
      for (const auto* layer : {"hidden", "out"})
        net.network.store().set(net.entry(layer, "bias"), HostArray(DType::F32, net.entry(layer, "bias").info->shape));
      if (images) net.network.store().set(net.entry("conv", "bias"), HostArray(DType::F32, Shape{2, 5}));
      Rsn2 rule = rsn2(93, "random");
      rule.options.quota = Quota::Tensor;  // starves units
      rule.apply(net.network, net.tasks, nullptr, 5);
      const HostArray a = output_of(net, "a"), b = output_of(net, "b");
      const DeadUnits dead(net.network, {"out.a", "out.b"});
      CHECK(dead.dead("hidden", 0) > 0);
      std::map<std::string, std::vector<PackedWeight>> stored;
      Index kept = 0, masked = 0;
      const std::vector<std::string> layers =
          images ? std::vector<std::string>{"conv", "hidden", "out"} : std::vector<std::string>{"hidden", "out"};
      for (const std::string& layer : layers) {
        const ParameterEntry& e = net.entry(layer);
        const HostArray values = net.value(layer);
        const auto size = static_cast<std::size_t>(e.slice_shape().elements());
        for (std::size_t t = 0; t < 2; ++t) {
          const Index rows = e.slice_shape()[0];
          PackedWeight w = PackedWeight::from_dense(values.span<float>().subspan(t * size, size), rows,
                                                    e.slice_shape().elements() / rows,
                                                    dead.needed(e.node, e.slot, static_cast<int>(t)));
          w.format = format;
          kept += w.kept();
          masked += count(net.mask(layer, static_cast<int>(t)));
          stored[layer].push_back(std::move(w));
        }
      }
      CHECK(kept < masked);
      for (auto& [layer, slices] : stored) net.network.store().set_stored(net.entry(layer), std::move(slices));
      for (const auto& [task, before] : {std::pair{"a", a}, std::pair{"b", b}}) {
        const HostArray after = output_of(net, task);
        for (Index i = 0; i < after.elements(); ++i) CHECK(after.value(i) == Approx(before.value(i)).margin(1e-6));
      }
    }
}

namespace {

// Input (6, 6, 2) -> conv -> pool -> second -> norm -> flat -> hidden -> out.
struct LongPath {
  Network network{architecture(), catalog(), make_handler("cpu:f32")};
  static Architecture architecture() {
    Architecture a;
    a.input({{"default", {"B", 6, 6, 2}}});
    a["Input.default"] >> a.add("conv", "MaskedConv2D", {{"filters", 6}, {"activation", "rel"}}) >>
        a.add("pool", "MaxPool2D", {{"kernel_size", 2}, {"stride", 2}}) >>
        a.add("second", "MaskedConv2D", {{"filters", 5}}) >> a.add("norm", "BatchNorm") >> a.add("flat", "Flatten") >>
        a.add("hidden", "MaskedDense", {{"units", 8}, {"activation", "rel"}}) >>
        a.add("out", "MaskedDense", {{"units", 3}});
    return a;
  }
  LongPath() {
    network.initialize({{"default", {{"@type", "Gaussian"}, {"std", 0.5}}}, {"*", {{"bias", 0}, {"gamma", 1}}}}, 3);
    for (const auto* layer : {"conv", "second", "hidden", "out"}) {
      ParameterEntry& e = entry(layer);
      HostArray keep(DType::U8, e.info->shape);
      std::ranges::fill(keep.span<std::uint8_t>(), std::uint8_t{1});
      network.store().set_mask(e, keep);
    }
    network.set_parameter("norm.mu", HostArray::of(Shape{5}, std::vector<float>{0.1F, -0.2F, 0.3F, 0, 0.5F}));
  }
  ParameterEntry& entry(const std::string& layer) { return *network.store().find(layer, "W"); }
  // Drops where `masks(row, column)` of the weight as a matrix.
  template <class F>
  void drop(const std::string& layer, const F& masks) {
    ParameterEntry& e = entry(layer);
    HostArray keep = e.mask;
    const Index columns = e.info->shape.elements() / e.info->shape[0];
    for (Index i = 0; i < keep.elements(); ++i)
      if (masks(i / columns, i % columns)) keep.set_value(i, 0);
    network.store().set_mask(e, keep);
  }
  HostArray answer() {
    HostArray x(DType::F32, Shape{7, 6, 6, 2});
    for (Index i = 0; i < x.elements(); ++i) x.set_value(i, static_cast<double>(i % 29) / 14 - 1);
    network.provide({{{"default", x}}});
    network.forward(network.pass(Mode::Eval, {"out.default"}));
    return network.handler().memory().to_host(network.output(network.graph().find("out"), 0));
  }
  // Stores everything without dead units; how many weights are left.
  Index store(WeightFormat format) {
    const DeadUnits dead(network, {"out.default"});
    Index kept = 0;
    std::map<std::string, PackedWeight> slices;
    for (const auto* layer : {"conv", "second", "hidden", "out"}) {
      const ParameterEntry& e = entry(layer);
      const HostArray values = network.store().get(e);
      const Index rows = e.info->shape[0];
      slices[layer] = PackedWeight::from_dense(values.span<float>(), rows, e.info->shape.elements() / rows,
                                               dead.needed(e.node, e.slot, 0));
      slices[layer].format = format;
      kept += slices[layer].kept();
    }
    for (auto& [layer, slice] : slices) network.store().set_stored(entry(layer), {slice});
    return kept;
  }
};

}  // namespace

TEST_CASE("Dead units go through pools and flattening at both ends and back through batch normalisation", "[dead]") {
  for (const WeightFormat format : {WeightFormat::Dense, WeightFormat::Compacted, WeightFormat::Sparse}) {
    LongPath p;
    const Index all = 6 * 18 + 5 * 54 + 8 * 45 + 3 * 8;
    p.drop("conv", [](Index r, Index) { return r == 2; });        // gives nothing
    p.drop("hidden", [](Index, Index c) { return c % 5 == 4; });  // filter 4 of second is not read
    p.drop("hidden", [](Index r, Index) { return r == 1; });      // gives nothing
    p.drop("out", [](Index, Index c) { return c == 6; });         // unit 6 of hidden is not read
    const HostArray before = p.answer();
    const DeadUnits dead(p.network, {"out.default"});
    CHECK(dead.dead("conv", 0) == 1);
    CHECK(dead.dead("second", 0) == 1);
    CHECK(dead.dead("hidden", 0) == 2);
    const Index kept = p.store(format);
    CHECK(kept == 5 * 18 + 4 * 45 + 6 * 36 + 3 * 6);
    CHECK(kept < all);
    const HostArray after = p.answer();
    if (format == WeightFormat::Dense) CHECK(after == before);  // sums of the same numbers and zeros
    double largest = 0;
    for (const double v : before.doubles()) largest = std::max(largest, std::abs(v));
    for (Index i = 0; i < after.elements(); ++i)
      CHECK(after.value(i) == Approx(before.value(i)).margin(1e-6 * largest));
  }
}

TEST_CASE("What batch normalisation shifts stays alive", "[dead]") {
  LongPath p;
  p.drop("second", [](Index r, Index) { return r == 3; });  // 0 before, not 0 behind the normalisation
  const HostArray before = p.answer();
  CHECK(DeadUnits(p.network, {"out.default"}).dead("norm", 0) == 0);
  CHECK(p.store(WeightFormat::Dense) == 6 * 18 + 4 * 54 + 8 * 45 + 3 * 8);
  CHECK(p.answer() == before);
}

TEST_CASE("Each task of a selected path loses its own dead units", "[dead]") {
  Architecture a;
  a.input({{"a", {"B", 6}}, {"b", {"B", 6}}});
  const json tasks{"a", "b"};
  a.add("multi", "MultiMaskedDense", {{"tasks", tasks}, {"units", 5}, {"activation", "rel"}});
  a.add("pick", "SelectorLayer", {{"tasks", tasks}, {"sel_index", 1}});
  a.add("out", "MaskedDense", {{"units", 2}});
  for (const char* t : {"a", "b"}) {
    a.connect({"Input", t, "multi", t});
    a.connect({"multi", t, "pick", t});
  }
  a.connect({"pick", "default", "out", "default"});
  Network net(a, catalog(), make_handler("cpu:f32"));
  net.initialize({{"default", {{"@type", "Gaussian"}}}, {"*", {{"bias", 0}}}}, 3);
  ParameterEntry& w = *net.store().find("multi", "W");
  HostArray keep(DType::U8, w.info->shape);                                               // (2, 5, 6)
  for (Index i = 0; i < keep.elements(); ++i) keep.set_value(i, i / 6 == 5 + 2 ? 0 : 1);  // unit 2 of b
  net.store().set_mask(w, keep);
  const DeadUnits dead(net, {"out.default"});
  const ParameterEntry& out = *net.store().find("out", "W");
  CHECK(dead.dead("multi", 1) == 1);
  CHECK(dead.dead("pick", 0) == 1);
  CHECK(count(dead.needed(out.node, out.slot, 0)) == 2 * 4);
}
