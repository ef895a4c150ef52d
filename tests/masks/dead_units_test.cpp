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
