// Recurrent layers: the properties of all layers, from contexts that are zero and others, and what only they have.
#include "layers/cases.hpp"
#include "squall/core/network.hpp"
#include "squall/core/random.hpp"
#include "support/handlers_under_test.hpp"

namespace {

using namespace squall;
using squall::testing::CaseInput;
using squall::testing::LayerCase;
using squall::testing::Rejection;

const std::vector<Rejection> kRejects{
    {.options = {{"size", "3"}}, .says = {"option 'size' should be", "whole number", "not \"3\""}},
    {.options = {{"size", {3, 4}}}, .says = {"option 'size' should be", "whole number", "not [3,4]"}},
    {.options = {{"size", 0}}, .says = {"option 'size' should be a positive whole number, not 0"}},
    {.options = {{"activation", "softmax"}}, .says = {"'activation' cannot be softmax in a recurrent layer"}},
    {.options = {{"size", 2}},
     .inputs = {{.name = "default", .features = {3}, .leading = {"B"}}},
     .says = {"input 'default'", "(B, 3)"}}};

SQUALL_LAYER_CASES(Recurrent, {.name = "as many units as inputs", .inputs = {{"default", {3}}}},
                   {.name = "on images", .options = {{"size", 4}}, .inputs = {{"default", {2, 1, 2}}}},
                   {.name = "rel", .options = {{"size", 2}, {"activation", "rel"}}, .inputs = {{"default", {3}}}},
                   {.name = "linear",
                    .options = {{"size", 1}, {"activation", "linear"}},
                    .inputs = {{"default", {2}}},
                    .rejects = kRejects})

SQUALL_LAYER_CASES(Lstm, {.name = "as many units as inputs", .inputs = {{"default", {3}}}},
                   {.name = "on images", .options = {{"size", 4}}, .inputs = {{"default", {2, 1, 2}}}},
                   {.name = "sigmoid",
                    .options = {{"size", 2}, {"activation", "sigmoid"}},
                    .inputs = {{"default", {3}}},
                    .rejects = kRejects})

SQUALL_LAYER_CASES(Clockwork,
                   {.name = "as many units as inputs", .inputs = {{"default", {3}}}, .fixed = {{"timing", {1, 2, 3}}}},
                   {.name = "on images",
                    .options = {{"size", 4}, {"activation", "sigmoid"}},
                    .inputs = {{"default", {2, 1, 2}}},
                    .fixed = {{"timing", {1, 1, 2, 4}}},
                    .rejects = kRejects})

SQUALL_LAYER_CASES(ClockworkLstm,
                   {.name = "as many units as inputs", .inputs = {{"default", {3}}}, .fixed = {{"timing", {1, 2, 3}}}},
                   {.name = "on images",
                    .options = {{"size", 4}, {"activation", "sigmoid"}},
                    .inputs = {{"default", {2, 1, 2}}},
                    .fixed = {{"timing", {1, 1, 2, 4}}},
                    .rejects = kRejects})

SQUALL_LAYER_CASES(LstmOpt, {.name = "as many units as inputs", .inputs = {{"default", {3}}}},
                   {.name = "sigmoid",
                    .options = {{"size", 2}, {"activation", "sigmoid"}},
                    .inputs = {{"default", {3}}},
                    .rejects = {{.options = {{"size", 2}},
                                 .inputs = {{"default", {3, 2}}},
                                 .says = {"LstmOpt 'Layer'", "(T, B, 3, 2)"}}}})

const std::vector<std::string> kTypes{"Recurrent", "Lstm", "Clockwork", "ClockworkLstm", "LstmOpt"};
constexpr Index kIn = 3, kUnits = 5;

const Catalog& layers() {
  static const Catalog catalog = [] {
    Catalog c;
    register_layers(c);
    return c;
  }();
  return catalog;
}

HostArray random(const Shape& shape, const std::string& name) {
  HostArray a(DType::F64, shape);
  Rng rng(8, name);
  for (double& v : a.span<double>()) v = static_cast<double>(static_cast<float>(rng.normal()));
  return a;
}

HostArray part(const HostArray& x, Index first, Index count) {
  return HostArray::copy_of(ConstTensor(x.view()).slice(first, count));
}

// Numbers of (T, B, features) for one sequence and its first steps.
HostArray single(const HostArray& x, Index sequence, Index length) {
  const Index batch = x.shape()[1];
  const Index features = x.shape().from(2).elements();
  HostArray out(DType::F64, Shape{length, 1, features});
  for (Index t = 0; t < length; ++t)
    for (Index k = 0; k < features; ++k)
      out.set_value(t * features + k, x.value((t * batch + sequence) * features + k));
  return out;
}

std::unique_ptr<Network> make(const Architecture& a, const std::string& handler) {
  NetworkOptions options;
  options.memory = MemoryMode::Inspectable;
  options.wants_deltas = {"Input.default"};
  auto net = std::make_unique<Network>(a, layers(), squall::test::make_under_test(handler, {.threads = 1}), options);
  for (const auto& node : net->graph().nodes())
    for (const auto& p : node.parameters) {
      HostArray value = random(p.shape, p.name);
      for (Index i = 0; i < value.elements(); ++i)
        value.set_value(i, p.name == "timing" ? static_cast<double>(1 + i % 4) : 0.5 * value.value(i));
      net->set_parameter(node.name + "." + p.name, value);
    }
  return net;
}

std::unique_ptr<Network> alone(const std::string& type, const std::string& handler) {
  Architecture a;
  a.input({{"default", {"T", "B", kIn}}});
  a["Input"] >> a.add("R", type, {{"size", kUnits}});
  return make(a, handler);
}

HostArray run(Network& net, const HostArray& x, Start start, Mode mode = Mode::Eval) {
  net.provide({{{"default", x}}});
  net.forward(mode, start);
  return net.get("R.outputs.default");
}

// Outputs that are compared with targets; the mask says which steps count.
Architecture masked(const std::string& type) {
  Architecture a;
  a.input({{"default", {"T", "B", kIn}}, {"targets", {"T", "B", kUnits}}, {"mask", {"T", "B", 1}}});
  a["Input.default"] >> a.add("R", type, {{"size", kUnits}}) >> a.add("Error", "SquaredError");
  a["Input.targets"] >> a["Error.targets"];
  a["Error.loss"] >> a.add("Mask", "Mask");
  a["Input.mask"] >> a["Mask.mask"];
  a["Mask"] >> a.add("Loss", "Loss");
  return a;
}

void train(Network& net, const HostArray& x, const HostArray& targets, const HostArray& mask) {
  net.provide({{{"default", x}, {"targets", targets}, {"mask", mask}}});
  net.forward(Mode::Train);
  net.backward();
}

void check_close(const HostArray& a, const HostArray& b) {
  REQUIRE(a.elements() == b.elements());
  for (Index i = 0; i < a.elements(); ++i) CHECK(a.value(i) == Approx(b.value(i)).epsilon(1e-9).margin(1e-12));
}

void check_sequences_of_different_length(const std::string& type) {
  constexpr Index kTime = 6;
  const std::vector<Index> lengths{6, 2, 1, 4};
  const auto batch = static_cast<Index>(lengths.size());
  const HostArray x = random({kTime, batch, kIn}, "x");
  const HostArray targets = random({kTime, batch, kUnits}, "targets");
  HostArray mask(DType::F64, Shape{kTime, batch, 1});
  for (Index t = 0; t < kTime; ++t)
    for (Index b = 0; b < batch; ++b)
      mask.set_value(t * batch + b, t < lengths[static_cast<std::size_t>(b)] ? 1.0 : 0.0);
  const auto together = make(masked(type), "cpu:f64");
  train(*together, x, targets, mask);
  const HostArray dx = together->get("Input.output_deltas.default");
  const HostArray y = together->get("R.outputs.default");
  HostArray sum = together->get("gradients");
  for (Index i = 0; i < sum.elements(); ++i) sum.set_value(i, 0);
  for (Index b = 0; b < batch; ++b) {
    INFO("sequence " << b);
    const Index length = lengths[static_cast<std::size_t>(b)];
    const auto one = make(masked(type), "cpu:f64");
    train(*one, single(x, b, length), single(targets, b, length), single(mask, b, length));
    check_close(one->get("R.outputs.default"), single(y, b, length));
    const HostArray gradient = one->get("gradients");
    for (Index i = 0; i < sum.elements(); ++i)
      sum.set_value(i, sum.value(i) + gradient.value(i) / static_cast<double>(batch));
    HostArray own = one->get("Input.output_deltas.default");
    for (Index i = 0; i < own.elements(); ++i) own.set_value(i, own.value(i) / static_cast<double>(batch));
    check_close(own, single(dx, b, length));
    for (Index t = length; t < kTime; ++t)
      for (Index k = 0; k < kIn; ++k) CHECK(dx.value((t * batch + b) * kIn + k) == 0);
  }
  check_close(together->get("gradients"), sum);
}

}  // namespace

TEST_CASE("a sequence of six steps is two of three with the context carried") {
  const HostArray x = random({6, 4, kIn}, "x");
  for (const std::string handler : {"cpu:f64", "cpu:f32", "debug:cpu:f64"})
    for (const auto& type : kTypes)
      for (const Mode mode : {Mode::Eval, Mode::Train}) {
        INFO(type << " on " << handler);
        const auto whole = alone(type, handler);
        const HostArray y = run(*whole, x, Start::Fresh, mode);
        const auto net = alone(type, handler);
        CHECK(run(*net, part(x, 0, 3), Start::Fresh, mode) == part(y, 0, 3));
        CHECK(run(*net, part(x, 3, 3), Start::Continue, mode) == part(y, 3, 3));
        CHECK_FALSE(run(*net, part(x, 3, 3), Start::Fresh, mode) == part(y, 3, 3));
      }
}

TEST_CASE("a sequence step by step is the sequence") {
  const HostArray x = random({5, 2, kIn}, "x");
  for (const auto& type : kTypes) {
    INFO(type);
    const auto whole = alone(type, "cpu:f64");
    const HostArray y = run(*whole, x, Start::Fresh);
    const auto net = alone(type, "cpu:f64");
    for (Index t = 0; t < 5; ++t) check_close(run(*net, part(x, t, 1), Start::Continue), part(y, t, 1));
    const Context context = net->get_context();
    CHECK(context.rows.front().path == "R.outputs.default");
    CHECK(context.steps.front().second == 5);
    CHECK(context.rows.size() == (type == "Recurrent" || type == "Clockwork" ? 1U : 2U));
    if (context.rows.size() == 2) CHECK(context.rows.back().path == "R.internals.Ca");
  }
}

TEST_CASE("sequences of different length in one batch are those sequences alone") {
  for (const auto& type : kTypes) {
    INFO(type);
    check_sequences_of_different_length(type);
  }
}

TEST_CASE("a unit with a clock changes at the first step and at those its period divides") {
  for (const std::string type : {"Clockwork", "ClockworkLstm"}) {
    INFO(type);
    const auto net = alone(type, "cpu:f64");
    const HostArray y = run(*net, random({9, 1, kIn}, "x"), Start::Fresh);
    for (Index t = 1; t < 9; ++t)
      for (Index j = 0; j < kUnits; ++j) {
        INFO("unit " << j << " with period " << 1 + j % 4 << " at step " << t);
        CHECK((y.value(t * kUnits + j) == y.value((t - 1) * kUnits + j)) == (t % (1 + j % 4) != 0));
      }
  }
}

TEST_CASE("with periods of one a clockwork layer is the layer without clocks") {
  const HostArray x = random({4, 3, kIn}, "x");
  for (const auto& [clocked, plain] :
       std::vector<std::pair<std::string, std::string>>{{"Clockwork", "Recurrent"}, {"ClockworkLstm", "Lstm"}}) {
    INFO(clocked);
    const auto a = alone(clocked, "cpu:f64");
    a->set_parameter("R.timing", HostArray::of(Shape{kUnits}, std::vector<double>(kUnits, 1.0)));
    const auto b = alone(plain, "cpu:f64");
    check_close(run(*a, x, Start::Fresh), run(*b, x, Start::Fresh));
  }
}

TEST_CASE("a period that is not above zero is refused with the unit") {
  for (const std::string type : {"Clockwork", "ClockworkLstm"})
    for (const double bad : {0.0, -2.0}) {
      const auto net = alone(type, "cpu:f64");
      net->set_parameter("R.timing", HostArray::of(Shape{kUnits}, std::vector<double>{1, 2, bad, 1, 1}));
      CHECK_THROWS_WITH(run(*net, random({2, 1, kIn}, "x"), Start::Fresh),
                        Catch::Contains("in " + type + " 'R', forward") && Catch::Contains("'timing' of unit 2 is") &&
                            Catch::Contains("should be above 0"));
    }
}

TEST_CASE("periods that nobody sets are one") {
  Architecture a;
  a.input({{"default", {"T", "B", kIn}}});
  a["Input"] >> a.add("R", "Clockwork", {{"size", 2}});
  Network net(a, layers(), squall::test::make_under_test("cpu:f64"), {.memory = MemoryMode::Inspectable});
  net.initialize({{"default", 0.5}}, 1);
  CHECK(net.get("R.parameters.timing").doubles() == std::vector<double>{1, 1});
  CHECK(net.get("R.parameters.W").value(0) == 0.5);
}

TEST_CASE("sequences do not go on in a batch of another size") {
  const auto net = alone("Lstm", "cpu:f64");
  run(*net, random({2, 3, kIn}, "x"), Start::Fresh);
  CHECK_THROWS_WITH(run(*net, random({2, 4, kIn}, "x"), Start::Continue),
                    Catch::Contains("context of R.outputs.default is (1, 3, 5), but this batch needs (1, 4, 5)"));
}

TEST_CASE("LstmOpt is an Lstm without peepholes whose gates lie below each other") {
  const auto fused = alone("LstmOpt", "cpu:f64");
  const auto plain = alone("Lstm", "cpu:f64");
  Index gate = 0;
  for (const std::string g : {"z", "i", "f", "o"}) {
    for (const std::string kind : {"W", "R", "b"}) {
      const HostArray all = fused->get("R.parameters." + kind);
      plain->set_parameter("R." + kind + g, part(all, gate * kUnits, kUnits));
    }
    if (g != "z") plain->set_parameter("R.p" + g, HostArray::of(Shape{1, kUnits}, std::vector<double>(kUnits, 0.0)));
    ++gate;
  }
  const HostArray x = random({4, 3, kIn}, "x");
  check_close(run(*fused, x, Start::Fresh), run(*plain, x, Start::Fresh));
}

TEST_CASE("an Lstm has its parameters and internals in the order of brainstorm") {
  const auto net = alone("ClockworkLstm", "cpu:f64");
  const Node& node = net->graph().node(net->graph().find("R"));
  std::string names;
  for (const auto& p : node.parameters) names += p.name + " ";
  CHECK(names == "Wz Wi Wf Wo pi pf po Rz Ri Rf Ro bz bi bf bo timing ");
  names.clear();
  for (const auto& i : node.internals) names += i.name + " ";
  CHECK(names == "Zb Ib Fb Ob Ca Cb ");
}
