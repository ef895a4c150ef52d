// Looking into networks: buffers by path, pins, deltas, guards around buffers, poison, and who made the first NaN.
#include "squall/core/network.hpp"

#include <limits>

#include "support/catch.hpp"
#include "support/graph_rig.hpp"

using namespace squall;
using namespace graph_test;

namespace {

struct Trained {
  Net net;
  Batch batch;
  explicit Trained(const NetworkOptions& options = inspectable()) : net(small_network(), options) {
    fill_parameters(net);
    batch = random_batch(net.graph(), 1, 1, 2);
    train_step(net, batch);
  }
  std::string error(std::string_view path) {
    return message_of([&] { net.get(path); });
  }
};

}  // namespace

TEST_CASE("every kind of buffer can be read by its path") {
  Trained t;
  Net& net = t.net;
  CHECK(net.get("Hid.parameters.W").shape() == Shape{4, 3});
  CHECK(net.get("Hid.gradients.W").shape() == Shape{4, 3});
  CHECK(net.get("Hid.outputs.default").shape() == Shape{1, 2, 4});
  CHECK(net.get("Act.inputs.default") == net.get("Hid.outputs.default"));
  CHECK(net.get("Input.outputs.targets") == *t.batch.find("targets"));
  CHECK(net.get("Criterion.inputs.targets") == *t.batch.find("targets"));
  CHECK(net.get("Criterion.internals.difference").shape() == Shape{1, 2, 2});
  CHECK(net.get("Out.output_deltas.default") == net.get("Criterion.internals.difference"));
  CHECK(net.get("Criterion.output_deltas.loss").doubles() == std::vector<double>{1, 1});
  CHECK(net.get("Act.input_deltas.default") == net.get("Hid.output_deltas.default"));
  CHECK(all_zero(net.get("Input.output_deltas.default")));
  CHECK(net.get("Input.output_deltas.default").shape() == Shape{1, 2, 3});
  CHECK(net.get("parameters").elements() == net.parameters().elements());
  CHECK(net.parameter_count() == 4 * 3 + 4 + 2 * 4 + 2);
  Index nonzero = 0;
  for (const double v : net.get("parameters").doubles()) nonzero += v != 0 ? 1 : 0;
  CHECK(nonzero == net.parameter_count());
}

TEST_CASE("a parameter as an input is read as the parameter, its delta as the gradient") {
  Architecture a = small_network();
  a["Hid...parameters.W"] >> a.add("Decay", "Square") >> a.add("Loss2", "Loss");
  Net net(a, inspectable());
  fill_parameters(net);
  train_step(net, random_batch(net.graph(), 1));
  CHECK(net.get("Decay.inputs.default") == net.get("Hid.parameters.W"));
  CHECK(net.get("Decay.input_deltas.default") == net.get("Hid.gradients.W"));
}

TEST_CASE("what is read is a copy") {
  Trained t;
  HostArray w = t.net.get("Hid.parameters.W");
  w.set_value(0, 1e9);
  CHECK(t.net.get("Hid.parameters.W").value(0) != 1e9);
}

TEST_CASE("paths that do not exist are told with the choices") {
  Trained t;
  CHECK(t.error("Hidd.outputs.default") == "there is no layer 'Hidd' in 'Hidd.outputs.default'; did you mean 'Hid'?");
  CHECK(t.error("Hid") ==
        "'Hid' is not a buffer; write LAYER.CATEGORY.NAME with one of parameters, gradients, state, inputs, outputs, "
        "internals, input_deltas, output_deltas");
  CHECK(t.error("Hid.W").starts_with("'Hid.W' is not a buffer"));
  CHECK(t.error("Hid.weights.W") ==
        "'weights' is not a kind of buffer; write parameters, gradients, state, inputs, outputs, internals, "
        "input_deltas or output_deltas");
  CHECK(t.error("Hid.parameters.V") == "layer 'Hid' has no parameters 'V'; there are: W, bias");
  CHECK(t.error("Hid.outputs.x") == "layer 'Hid' has no outputs 'x'; there are: default");
  CHECK(t.error("Criterion.inputs.x") == "layer 'Criterion' has no inputs 'x'; there are: default, targets");
  CHECK(t.error("Hid.internals.x") == "layer 'Hid' has no internals 'x'; there are none");
  CHECK(t.error("Hid.state.x") == "layer 'Hid' has no state 'x'; there are none");
  CHECK(t.error("").starts_with("there is no layer ''"));
  CHECK(message_of([&] { t.net.set_parameter("Hid", HostArray()); }) == "'Hid' is not LAYER.PARAMETER");
  CHECK(message_of([&] { t.net.set_parameter("Hdi.W", HostArray()); }) ==
        "there is no layer 'Hdi'; did you mean 'Hid'?");
  CHECK(message_of([&] { t.net.set_parameter("Hid.V", HostArray()); }) ==
        "layer 'Hid' has no parameter 'V'; there are: W, bias");
  CHECK(message_of([&] {
          t.net.set_parameter("Hid.W", HostArray(DType::F64, Shape{3, 4}));
        }) == "parameter 'Hid.W' is (4, 3), but (3, 4) was given");
}

TEST_CASE("parameters can be read before the first pass, buffers of a pass cannot") {
  Net net(small_network(), inspectable());
  CHECK(all_zero(net.get("Hid.parameters.W")));
  CHECK(message_of([&] { net.get("Hid.outputs.default"); }) == "there was no forward pass yet");
  net.provide(random_batch(net.graph(), 1));
  net.forward(net.pass(Mode::Eval, {"Hid"}));
  CHECK(message_of([&] { net.get("Out.outputs.default"); }) == "'Out.outputs.default' was not part of the last pass");
  CHECK(message_of([&] { net.get("Criterion.internals.square"); }) ==
        "'Criterion.internals.square' was not part of the last pass");
}

TEST_CASE("in Compact mode shared memory cannot be read, and it is told what to do") {
  Trained t(NetworkOptions{});
  CHECK(t.error("Hid.outputs.default") ==
        "'Hid.outputs.default' shares memory in Compact mode; pin it (Network::pin) or use MemoryMode::Inspectable");
  CHECK(t.error("Act.inputs.default").starts_with("'Hid.outputs.default' shares memory in Compact mode"));
  CHECK(t.error("Criterion.internals.difference") ==
        "'Criterion.internals.difference' shares memory in Compact mode; use MemoryMode::Inspectable");
  CHECK(t.error("Out.output_deltas.default") ==
        "'Out.output_deltas.default' shares memory in Compact mode; name it in NetworkOptions::wants_deltas or use "
        "MemoryMode::Inspectable");
  CHECK(t.error("Input.outputs.default") == "no error");
  CHECK(t.error("Loss.outputs.loss") == "no error");
  CHECK(t.error("Hid.parameters.W") == "no error");
}

TEST_CASE("heads and pinned outputs can be read in Compact mode, and are right") {
  const Trained reference;
  Trained t(NetworkOptions{});
  t.net.forward(t.net.pass(Mode::Train, {"Loss", "Out"}));
  t.net.backward();
  CHECK(t.net.get("Out.outputs.default") == reference.net.get("Out.outputs.default"));
  t.net.pin("Hid.*");
  t.net.pin("Criterion.loss");
  t.net.pin("Hid.*");
  train_step(t.net, t.batch);
  CHECK(t.net.get("Hid.outputs.default") == reference.net.get("Hid.outputs.default"));
  CHECK(t.net.get("Criterion.outputs.loss") == reference.net.get("Criterion.outputs.loss"));
  CHECK(t.error("Act.outputs.default") != "no error");
  CHECK(gradients(t.net) == gradients(reference.net));
}

TEST_CASE("deltas that are wanted can be read, as they were before their layer used them up") {
  Trained plain;
  const NetworkOptions wanted{.wants_deltas = {"Input.*", "Act.default"}};
  Trained t(wanted);
  CHECK(t.net.get("Act.output_deltas.default") == plain.net.get("Act.output_deltas.default"));
  CHECK_FALSE(all_zero(t.net.get("Input.output_deltas.default")));
  CHECK(gradients(t.net) == gradients(plain.net));
  // dL/dx of the first example along one direction
  const HostArray delta = t.net.get("Input.output_deltas.default");
  const HostArray act = t.net.get("Act.output_deltas.default");
  Batch moved = t.batch;
  double expected = 0;
  for (Index i = 0; i < delta.elements(); ++i) {
    const double v = i % 2 == 0 ? 1e-6 : -2e-6;
    moved.fields[0].second.set_value(i, t.batch.fields[0].second.value(i) + v);
    expected += v * delta.value(i);
  }
  const double before = t.net.total_loss();
  CHECK(train_step(t.net, moved) - before == Approx(expected).epsilon(1e-3));
  double squares = 0;
  for (const double v : act.doubles()) squares += v * v;
  CHECK((squares > 0 && squares < 1e4));  // not the number that the layer left behind
}

TEST_CASE("guards behind buffers notice a layer that writes too far") {
  for (const auto mode : {MemoryMode::Compact, MemoryMode::Inspectable}) {
    Trained honest(NetworkOptions{.memory = mode, .sentinels = true});
    CHECK(honest.net.check_sentinels());
    Architecture a;
    a.input({{"default", {"T", "B", 3}}});
    a["Input"] >> a.add("O", "Overrun") >> a.add("T", "Tanh") >> a.add("Loss", "Loss");
    Net net(a, {.memory = mode, .sentinels = true});
    net.provide(random_batch(net.graph(), 1));
    net.forward(Mode::Eval);
    CHECK_FALSE(net.check_sentinels());
  }
  Trained without;
  CHECK(message_of([&] { (void)without.net.check_sentinels(); }) == "NetworkOptions::sentinels is off");
}

TEST_CASE("poisoned memory and guards change no result") {
  const Trained plain;
  for (const char* handler : {"cpu:f64", "debug:cpu:f64"}) {
    Net net(small_network(), {.poison = true, .sentinels = true}, handler);
    fill_parameters(net);
    for (int i = 0; i < 2; ++i) {
      train_step(net, plain.batch);
      CHECK(gradients(net) == gradients(plain.net));
    }
  }
}

TEST_CASE("poison shows who reads what nobody wrote") {
  Architecture a;
  a.input({{"default", {"T", "B", 3}}});
  a["Input"] >> a.add("L", "Leaky") >> a.add("S", "Square") >> a.add("Loss", "Loss");
  Net net(a, {.poison = true});
  net.provide(random_batch(net.graph(), 1, 3, 2));
  net.forward(Mode::Train);
  CHECK(std::isfinite(net.total_loss()));  // the context row is cleared
}

TEST_CASE("the first layer with a number that is not finite is found") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  Architecture a = small_network();
  a["Hid"] >> a.add("Root", "Log") >> a.add("Loss2", "Loss");
  for (const auto mode : {MemoryMode::Compact, MemoryMode::Inspectable}) {
    Net net(a, {.memory = mode});
    fill_parameters(net);
    CHECK(net.first_non_finite().empty());
    Batch batch = random_batch(net.graph(), 1);
    net.set_parameter("Hid.bias", HostArray::of<double>(Shape{4}, {1e3, 1e3, 1e3, 1e3}));
    train_step(net, batch);
    CHECK(net.first_non_finite().empty());
    net.set_parameter("Hid.bias", HostArray::of<double>(Shape{4}, {-1e3, 1e3, 1e3, 1e3}));
    train_step(net, batch);
    CHECK(net.first_non_finite() == "Root");
    HostArray w = net.get("Out.parameters.W");
    w.set_value(3, nan);
    net.set_parameter("Out.W", w);
    CHECK(net.first_non_finite() == "Out");  // comes before Root
    batch.fields[0].second.set_value(0, nan);
    train_step(net, batch);
    CHECK(net.first_non_finite() == "Input");
  }
}

TEST_CASE("looking for NaN changes nothing") {
  Architecture a;
  a.input({{"default", {"T", "B", 2}}});
  a["Input"] >> a.add("C", "Counting") >> a.add("N", "Noise") >> a.add("Loss", "Loss");
  Net net(a);
  Net other(a);
  for (Net* n : {&net, &other}) n->initialize(1.0, 0);
  const Batch batch = random_batch(net.graph(), 1);
  for (int i = 0; i < 3; ++i) {
    CHECK(train_step(net, batch) == train_step(other, batch));
    CHECK(net.first_non_finite().empty());
    CHECK(net.get("C.state.count") == other.get("C.state.count"));
    CHECK(net.random_step() == other.random_step());
  }
}

TEST_CASE("the order of losses and layers is that of the graph, and the description is kept") {
  Net net(small_network());
  CHECK(squall::join(net.graph().names(), " ") == "Input Hid Act Out Criterion Loss");
  CHECK(net.architecture().to_json() == small_network().to_json());
}
