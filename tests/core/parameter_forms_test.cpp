// Masked, packed and stored parameters: what layers compute with, what is trained, what is read and written.
#include "squall/core/parameter_store.hpp"

#include "support/catch.hpp"
#include "support/graph_rig.hpp"

using namespace squall;
using namespace graph_test;

namespace {

HostArray bytes(const Shape& shape, const std::vector<std::uint8_t>& values) {
  return HostArray::of<std::uint8_t>(shape, values);
}

// Three tasks on one Tasks layer M, each with a loss.
Architecture tasks_network() {
  const std::vector<std::string> tasks{"a", "b", "c"};
  Architecture a;
  json shapes;
  for (const auto& t : tasks) shapes[t] = {"T", "B", 2};
  a.input(shapes);
  a.add("M", "Tasks", {{"tasks", tasks}, {"size", 2}});
  for (const auto& t : tasks) {
    a["Input." + t] >> a["M." + t];
    a["M." + t] >> a.add("Sq_" + t, "Square") >> a.add("Loss_" + t, "Loss");
  }
  return a;
}

const Shape kSlices{3, 2, 2};
// Disjoint: task a has weights 0 and 3, task b weight 1, task c none; weight 2 is free.
const std::vector<std::uint8_t> kDisjoint{1, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0};

struct Made {
  Net net;
  Batch batch;
  explicit Made(const Architecture& a = tasks_network(), const NetworkOptions& options = {}) : net(a, options) {
    fill_parameters(net);
    batch = random_batch(net.graph(), 1, 1, 5);
  }
  ParameterStore& store() { return net.store(); }
  ParameterEntry& entry(std::string_view layer = "M", std::string_view name = "W") {
    return *net.store().find(layer, name);
  }
  void mask(const std::vector<std::uint8_t>& keep) { store().set_mask(entry(), bytes(kSlices, keep)); }
  double step(const std::vector<std::string>& heads = {}) { return train_step(net, batch, heads); }
  // What an update rule does: values -= gradients where the piece may be written.
  void descend() {
    for (const auto& piece : net.trainable()) {
      HostArray value = net.handler().memory().to_host(net.parameters().slice(piece.offset, piece.elements));
      const HostArray gradient = net.handler().memory().to_host(net.gradients().slice(piece.offset, piece.elements));
      HostArray write;
      if (piece.write) write = net.handler().memory().to_host(piece.write);
      for (Index i = 0; i < piece.elements; ++i)
        if (!piece.write || write.value(i) != 0) value.set_value(i, value.value(i) - 0.1 * gradient.value(i) - 0.01);
      net.handler().memory().upload(value.view(), net.parameters().slice(piece.offset, piece.elements));
    }
    net.parameters_changed();
  }
};

HostArray masked(const HostArray& values, const std::vector<std::uint8_t>& keep) {
  HostArray out = values;
  for (std::size_t i = 0; i < keep.size(); ++i)
    if (keep[i] == 0) out.set_value(static_cast<Index>(i), 0);
  return out;
}

}  // namespace

TEST_CASE("masked weights count as zero everywhere, and get no gradient") {
  Made plain;
  Made m;
  m.mask(kDisjoint);
  CHECK(m.entry().form == ParameterForm::Masked);
  plain.net.set_parameter("M.W", masked(plain.net.get("M.parameters.W"), kDisjoint));
  CHECK(m.net.get("M.parameters.W") == plain.net.get("M.parameters.W"));
  CHECK(m.step() == plain.step());
  CHECK(m.net.get("M.gradients.W") == masked(plain.net.get("M.gradients.W"), kDisjoint));
  CHECK(m.net.get("M.gradients.bias") == plain.net.get("M.gradients.bias"));
  CHECK(m.store().mask(m.entry()) == bytes(kSlices, kDisjoint));
  CHECK_FALSE(plain.store().mask(plain.entry()));
  m.net.set_parameter("M.W", HostArray::of<double>(kSlices, std::vector<double>(12, 3.0)));
  CHECK(m.net.get("M.parameters.W") == masked(HostArray::of<double>(kSlices, std::vector<double>(12, 3.0)), kDisjoint));
}

TEST_CASE("masked weights stay zero whatever is written into the flat vector") {
  Made m;
  m.mask(kDisjoint);
  const double before = m.step();
  m.net.handler().elementwise().fill(m.net.store().storage(m.entry()), 7);
  m.store().touch();
  CHECK(m.net.get("M.parameters.W") == masked(HostArray::of<double>(kSlices, std::vector<double>(12, 7.0)), kDisjoint));
  const double after = m.step();
  Made plain;
  plain.net.set_parameter("M.W", m.net.get("M.parameters.W"));
  CHECK(after == plain.step());
  CHECK(after != before);
}

TEST_CASE("masks are checked") {
  Made m;
  CHECK(message_of([&] {
          m.store().set_mask(m.entry(), bytes(Shape{2}, {1, 1}));
        }) == "the mask of 'M.W' should be (3, 2, 2) of u8, but is (2) of u8");
  CHECK(message_of([&] { m.store().set_mask(m.entry(), HostArray(DType::F32, kSlices)); }) ==
        "the mask of 'M.W' should be (3, 2, 2) of u8, but is (3, 2, 2) of f32");
  CHECK(m.entry().form == ParameterForm::Plain);
}

TEST_CASE("a mask may be any byte that is not zero, can be replaced, and taken off") {
  Made m;
  auto keep = kDisjoint;
  for (auto& b : keep) b = b != 0 ? 200 : 0;
  m.mask(keep);
  CHECK(m.store().mask(m.entry()) == bytes(kSlices, kDisjoint));
  const HostArray first = m.net.get("M.parameters.W");
  std::vector<std::uint8_t> other(12, 1);
  other[0] = 0;
  m.mask(other);
  CHECK(m.net.get("M.parameters.W") == masked(first, other));  // what was masked before stays zero
  m.store().clear_mask(m.entry());
  CHECK(m.entry().form == ParameterForm::Plain);
  CHECK(m.net.get("M.parameters.W") == masked(first, other));
  m.step();
  CHECK(m.net.get("M.gradients.W").value(0) != 0);
}

TEST_CASE("a change of form keeps all other parameters and the states") {
  Architecture a = tasks_network();
  a["M.a"] >> a.add("C", "Counting") >> a.add("D", "Dense", {{"size", 1}}) >> a.add("Loss_d", "Loss");
  Made m(a);
  m.step();
  const HostArray bias = m.net.get("M.parameters.bias");
  const HostArray dense = m.net.get("D.parameters.W");
  const HostArray count = m.net.get("C.state.count");
  m.mask(kDisjoint);
  m.store().pack({&m.entry()});
  CHECK(m.net.get("M.parameters.bias") == bias);
  CHECK(m.net.get("D.parameters.W") == dense);
  CHECK(m.net.get("C.state.count") == count);
  m.store().unpack({&m.entry()});
  CHECK(m.net.get("D.parameters.W") == dense);
  CHECK(m.net.get("C.state.count") == count);
}

TEST_CASE("packed tasks compute and learn what masked ones do, in a third of the room") {
  Made reference;
  Made m;
  for (Made* one : {&reference, &m}) one->mask(kDisjoint);
  const Index before = m.net.parameters().elements();
  m.store().pack({&m.entry()});
  CHECK(m.entry().form == ParameterForm::Packed);
  CHECK(m.entry().storage_shape == Shape{2, 2});
  CHECK(m.net.parameters().elements() < before);
  CHECK(m.store().mask(m.entry()) == bytes(kSlices, kDisjoint));
  for (const auto& heads :
       std::vector<std::vector<std::string>>{{}, {"Loss_a"}, {"Loss_b"}, {"Loss_c", "Loss_a"}, {}}) {
    CHECK(m.net.get("M.parameters.W") == reference.net.get("M.parameters.W"));
    CHECK(m.step(heads) == reference.step(heads));
    CHECK(m.net.get("M.gradients.W") == reference.net.get("M.gradients.W"));
    CHECK(m.net.get("M.gradients.bias") == reference.net.get("M.gradients.bias"));
    m.descend();
    reference.descend();
  }
  m.store().unpack({&m.entry()});
  CHECK(m.entry().form == ParameterForm::Masked);
  CHECK(m.net.get("M.parameters.W") == reference.net.get("M.parameters.W"));
  CHECK(m.step() == reference.step());
}

TEST_CASE("training one task moves no bit of another task, packed or masked") {
  for (const bool packed : {false, true}) {
    Made m;
    m.mask(kDisjoint);
    if (packed) m.store().pack({&m.entry()});
    const auto w = m.net.get("M.parameters.W").doubles();
    const auto bias = m.net.get("M.parameters.bias").doubles();
    for (int i = 0; i < 3; ++i) {
      m.step({"Loss_b"});
      m.descend();
    }
    const auto w_after = m.net.get("M.parameters.W").doubles();
    const auto bias_after = m.net.get("M.parameters.bias").doubles();
    for (std::size_t i = 0; i < 12; ++i) CHECK((w_after[i] == w[i]) == (i != 5));  // weight 1 of task b
    for (std::size_t i = 0; i < 6; ++i) CHECK((bias_after[i] == bias[i]) == (i / 2 != 1));
  }
}

TEST_CASE("packed values are read and written in the shape of the slices") {
  Made m;
  m.mask(kDisjoint);
  m.store().pack({&m.entry()});
  m.net.set_parameter("M.W", HostArray::of<double>(kSlices, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}));
  CHECK(m.net.get("M.parameters.W").doubles() == std::vector<double>{1, 0, 0, 4, 0, 6, 0, 0, 0, 0, 0, 0});
  const HostArray storage = m.net.handler().memory().to_host(m.store().storage(m.entry()));
  CHECK(storage.doubles() == std::vector<double>{1, 6, 0, 4});
}

TEST_CASE("only disjoint masks can be packed, and it is told where they are not") {
  Made m;
  CHECK(message_of([&] { m.store().pack({&m.entry()}); }) ==
        "'M.W' cannot be packed: it needs several tasks and a mask for each");
  auto overlapping = kDisjoint;
  overlapping[8] = 1;
  m.mask(overlapping);
  const HostArray values = m.net.get("M.parameters.W");
  CHECK(message_of([&] { m.store().pack({&m.entry()}); }) ==
        "'M.W' cannot be packed: weight 0 belongs to tasks 0 and 2; masks must be disjoint");
  CHECK(m.entry().form == ParameterForm::Masked);
  CHECK(m.net.get("M.parameters.W") == values);
  Made dense(small_network());
  dense.store().set_mask(dense.entry("Out"), bytes(Shape{2, 4}, std::vector<std::uint8_t>(8, 1)));
  CHECK(message_of([&] { dense.store().pack({&dense.entry("Out")}); }) ==
        "'Out.W' cannot be packed: it needs several tasks and a mask for each");
  m.store().clear_mask(m.entry());
  m.mask(kDisjoint);
  m.store().pack({&m.entry()});
  CHECK(message_of([&] { m.mask(kDisjoint); }) == "'M.W' must be unpacked before it gets another mask");
}

TEST_CASE("packed values and owners can be set, free weights keep no value, and owners are checked") {
  Made m;
  const auto owners = bytes(Shape{2, 2}, {0, 2, kFreeWeight, 1});
  m.store().set_packed(m.entry(), HostArray::of<double>(Shape{2, 2}, {1, 2, 3, 4}), owners);
  CHECK(m.net.get("M.parameters.W").doubles() == std::vector<double>{1, 0, 0, 0, 0, 0, 0, 4, 0, 2, 0, 0});
  CHECK(m.net.handler().memory().to_host(m.store().storage(m.entry())).doubles() == std::vector<double>{1, 2, 0, 4});
  CHECK(message_of([&] {
          m.store().set_packed(m.entry(), HostArray(DType::F64, Shape{2, 2}), bytes(Shape{2, 2}, {0, 3, 0, 0}));
        }) == "'M.W' has an owner byte 3, but there are 3 tasks");
  CHECK(message_of([&] { m.store().set_packed(m.entry(), HostArray(DType::F64, Shape{4}), owners); }) ==
        "'M.W' should be packed as (2, 2), but values are (4) and owners (2, 2)");
  Made dense(small_network());
  CHECK(message_of([&] {
          dense.store().set_packed(dense.entry("Out"), HostArray(DType::F64, Shape{2, 4}),
                                   HostArray(DType::U8, Shape{2, 4}));
        }) == "'Out.W' has no tasks and cannot hold owners");
}

TEST_CASE("stored values are read like others, but cannot be written or trained") {
  Made m;
  const std::vector<float> dense{1, 0, 2, 0};
  const auto slice = PackedWeight::from_dense(dense, 2, 2);
  m.store().set_stored(m.entry(), {slice, slice, slice});
  CHECK(m.entry().form == ParameterForm::Stored);
  CHECK(m.net.get("M.parameters.W").doubles() == std::vector<double>{1, 0, 2, 0, 1, 0, 2, 0, 1, 0, 2, 0});
  CHECK(m.net.get("M.parameters.W").dtype() == DType::F64);
  CHECK(all_zero(m.net.get("M.gradients.W")));
  CHECK(m.store().mask(m.entry()) == bytes(kSlices, {1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0}));
  CHECK(m.net.store().flat_values().elements() == 8);  // the bias alone, rounded up to 64 bytes
  CHECK(message_of([&] { m.net.set_parameter("M.W", HostArray(DType::F64, kSlices)); }) ==
        "parameter 'M.W' is stored for inference and cannot be written");
  CHECK(message_of([&] { m.store().set_stored(m.entry(), {slice}); }) ==
        "'M.W' has 3 tasks, but 1 packed weights were given");
  const auto wrong = PackedWeight::from_dense(std::vector<float>(6, 1.0F), 2, 3);
  CHECK(message_of([&] {
          m.store().set_stored(m.entry(), {wrong, wrong, wrong});
        }) == "'M.W' is (2, 2), but its packed weight is 2x3");
  m.store().make_plain(m.entry());
  CHECK(m.entry().form == ParameterForm::Plain);
  CHECK(m.net.get("M.parameters.W").value(2) == 2);
  CHECK(std::isfinite(m.step()));
}

TEST_CASE("a layer that reads a stored parameter is told apart from the ones that can run") {
  Architecture a = small_network();
  a["Hid...parameters.W"] >> a.add("Decay", "Square") >> a.add("Loss2", "Loss");
  Made m(a);
  m.store().set_stored(m.entry("Hid"), {PackedWeight::from_dense(std::vector<float>(12, 1.0F), 4, 3)});
  m.net.provide(m.batch);
  CHECK(message_of([&] { m.net.forward(Mode::Eval); }) ==
        "'Decay' reads parameter 'W' of 'Hid', which is stored for inference; run heads that do not need it");
}

TEST_CASE("gradients of a form that is gone cannot be asked for") {
  Made m;
  m.net.provide(m.batch);
  m.net.forward(Mode::Train);
  m.mask(kDisjoint);
  CHECK(message_of([&] { m.net.backward(); }) ==
        "the form of a parameter has changed since the forward pass; run it again before backward()");
  m.net.forward(Mode::Train);
  CHECK_NOTHROW(m.net.backward());
}

TEST_CASE("a parameter read by another layer is read as it counts, masked or packed") {
  Architecture a = tasks_network();
  a["M...parameters.W"] >> a.add("Decay", "Square") >> a.add("Loss_w", "Loss", {{"importance", 0.5}});
  Made masked_net(a, inspectable());
  Made packed_net(a, inspectable());
  for (Made* one : {&masked_net, &packed_net}) one->mask(kDisjoint);
  packed_net.store().pack({&packed_net.entry()});
  CHECK(packed_net.step() == masked_net.step());
  CHECK(packed_net.net.get("M.gradients.W") == masked_net.net.get("M.gradients.W"));
  CHECK(packed_net.net.get("Decay.inputs.default") == masked_net.net.get("M.parameters.W"));
  packed_net.step({"Loss_w"});
  const auto w = packed_net.net.get("M.parameters.W");
  const auto g = packed_net.net.get("M.gradients.W");
  for (Index i = 0; i < 12; ++i) CHECK(g.value(i) == Approx(w.value(i)));
}

TEST_CASE("the pieces that are trained cover what a pass trains, each with what may be written") {
  Made m;
  m.step({"Loss_c", "Loss_a"});
  REQUIRE(m.net.trainable().size() == 4);  // W and bias, two tasks each
  CHECK(m.net.trainable()[0].task == 0);
  CHECK(m.net.trainable()[1].task == 2);
  CHECK(m.net.trainable()[1].offset == m.entry().offset + 8);
  CHECK_FALSE(m.net.trainable()[0].write);
  m.mask(kDisjoint);
  m.step({"Loss_a"});
  REQUIRE(m.net.trainable().size() == 2);
  CHECK(m.net.handler().memory().to_host(m.net.trainable()[0].write).doubles() == std::vector<double>{1, 0, 0, 1});
  m.store().pack({&m.entry()});
  m.step({"Loss_b"});
  REQUIRE(m.net.trainable().size() == 2);
  CHECK(m.net.trainable()[0].task == -1);
  CHECK(m.net.trainable()[0].elements == 4);
  CHECK(m.net.handler().memory().to_host(m.net.trainable()[0].write).doubles() == std::vector<double>{0, 1, 0, 0});
  m.step();
  CHECK(m.net.handler().memory().to_host(m.net.trainable()[0].write).doubles() == std::vector<double>{1, 1, 0, 1});
}

TEST_CASE("parameters begin at multiples of 64 bytes in the order of their layers") {
  Net net(small_network());
  fill_parameters(net);
  Index at = 0;
  for (const auto& e : net.store().entries()) {
    CHECK(e.offset >= at);
    CHECK(e.offset % 8 == 0);
    at = e.offset + e.elements();
  }
  const HostArray flat = net.get("parameters");
  const auto& w = *net.store().find("Out", "W");
  const HostArray value = net.get("Out.parameters.W");
  for (Index i = 0; i < 8; ++i) CHECK(flat.value(w.offset + i) == value.value(i));
}
