// Networks that run: losses, gradients of every kind of wiring, states, noise.
#include "squall/core/network.hpp"

#include "support/catch.hpp"
#include "support/graph_rig.hpp"

using namespace squall;
using namespace graph_test;

namespace {

// A network whose gradient has been compared with differences; the relative error.
double error_of(const Architecture& a, const std::vector<std::string>& heads = {}) {
  Net net(a);
  fill_parameters(net);
  net.provide(random_batch(net.graph(), 3, 3, 2));
  return gradient_error(net, net.pass(Mode::Train, heads));
}

Architecture with_input(Index features = 3) {
  Architecture a;
  a.input({{"default", {"T", "B", features}}});
  a["Input"] >> a.add("W", "Dense", {{"size", 3}});
  return a;
}

}  // namespace

TEST_CASE("a network computes what its layers say") {
  Architecture a;
  a.input({{"default", {"B", 2}}, {"targets", {"B", 1}}});
  a["Input"] >> a.add("Hid", "Dense", {{"size", 1}}) >> a.add("Criterion", "Error");
  a["Input.targets"] >> a["Criterion.targets"];
  a["Criterion.loss"] >> a.add("Loss", "Loss", {{"importance", 0.5}});
  Net net(a, inspectable());
  net.set_parameter("Hid.W", HostArray::of<double>(Shape{1, 2}, {2, -1}));
  net.set_parameter("Hid.bias", HostArray::of<double>(Shape{1}, {0.5}));
  Batch batch;
  batch.fields = {{"default", HostArray::of<double>(Shape{2, 2}, {1, 2, 3, 4})},
                  {"targets", HostArray::of<double>(Shape{2, 1}, {0, 1})}};
  const double loss = train_step(net, batch);
  CHECK(net.get("Hid.outputs.default").doubles() == std::vector<double>{0.5, 2.5});
  CHECK(loss == Approx(0.5 * 0.5 * (0.25 + 2.25)));
  CHECK(net.get("Hid.gradients.W").doubles()[0] == Approx(0.5 * (0.5 * 1 + 1.5 * 3)));
  CHECK(net.get("Hid.gradients.W").doubles()[1] == Approx(0.5 * (0.5 * 2 + 1.5 * 4)));
  CHECK(net.get("Hid.gradients.bias").doubles()[0] == Approx(0.5 * (0.5 + 1.5)));
}

TEST_CASE("gradients of a chain are right") {
  CHECK(error_of(small_network()) < 1e-7);
  CHECK(error_of(small_network(), {"Loss"}) < 1e-7);
}

TEST_CASE("gradients are right where one output feeds several layers") {
  Architecture a = with_input();
  a["W"] >> a.add("A", "Tanh") >> "a" - a.add("P", "Product");
  a["W"] >> a.add("B", "Square") >> a["P.b"];
  a["W"] >> a.add("C", "Dense", {{"size", 2}}) >> a.add("Loss1", "Loss");
  a["P"] >> a.add("Loss2", "Loss");
  CHECK(error_of(a) < 1e-7);
}

TEST_CASE("gradients are right where one output feeds two inputs of a layer") {
  Architecture a = with_input();
  a["W"] >> "a" - a.add("P", "Product");
  a["W"] >> a["P.b"];
  a["P"] >> a.add("Loss", "Loss");
  CHECK(error_of(a) < 1e-7);
  a["W"] >> a.add("Early", "Tanh") >> a.add("Mid", "Tanh") >> a.add("Mid2", "Tanh") >> a.add("Loss0", "Loss");
  CHECK(error_of(a) < 1e-7);
  a["W"] >> a.add("Loss3", "Loss");
  CHECK(error_of(a) < 1e-7);
}

TEST_CASE("gradients are right where a layer has several outputs, wanted or not") {
  Architecture a = with_input();
  a["W"] >> a.add("F", "Fork");
  a["F.left"] >> a.add("A", "Tanh") >> a.add("LossL", "Loss");
  a["F.right"] >> a.add("B", "Square") >> a.add("LossR", "Loss");
  CHECK(error_of(a) < 1e-7);
  CHECK(error_of(a, {"LossL"}) < 1e-7);
  CHECK(error_of(a, {"LossR"}) < 1e-7);
}

TEST_CASE("gradients are right through time") {
  Architecture a = with_input();
  a["W"] >> a.add("L", "Leaky") >> a.add("S", "Square") >> a.add("L2", "Leaky") >> a.add("Loss", "Loss");
  CHECK(error_of(a) < 1e-7);
}

TEST_CASE("several sources of one input are joined along the last axis, rows kept apart, and differentiated") {
  Architecture a;
  a.input({{"x", {"T", "B", 2, 3}}, {"y", {"T", "B", 2, 1}}});
  a["Input.y"] >> a.add("End", "Tanh");
  a["Input.x"] >> a["End"];
  Net net(a, inspectable());
  const Batch batch = random_batch(net.graph(), 1, 1, 2);
  net.provide(batch);
  net.forward(Mode::Eval);
  const HostArray joined = net.get("End.inputs.default");
  REQUIRE(joined.shape() == Shape{1, 2, 2, 4});
  const HostArray& x = *batch.find("x");
  const HostArray& y = *batch.find("y");
  for (Index row = 0; row < 4; ++row) {
    for (Index c = 0; c < 3; ++c) CHECK(joined.value(row * 4 + c) == x.value(row * 3 + c));
    CHECK(joined.value(row * 4 + 3) == y.value(row));
  }
  Architecture b;
  b.input({{"default", {"T", "B", 3}}});
  b["Input"] >> b.add("A", "Dense", {{"size", 2}}) >> b.add("End", "Tanh");
  b["Input"] >> b.add("B", "Dense", {{"size", 4}}) >> b["End"];
  b["Input"] >> b["End"];
  b["End"] >> b.add("Out", "Dense", {{"size", 2}}) >> b.add("Q", "Square") >> b.add("Loss", "Loss");
  b["A"] >> b.add("Loss2", "Loss");
  CHECK(error_of(b) < 1e-7);
}

TEST_CASE("a parameter that another layer reads gets that layer's gradient, too") {
  Architecture a = small_network();
  a["Hid...parameters.W"] >> a.add("Decay", "Square") >> a.add("Loss2", "Loss", {{"importance", 0.1}});
  CHECK(error_of(a) < 1e-7);
  CHECK(error_of(a, {"Loss"}) < 1e-7);
  CHECK(error_of(a, {"Loss2"}) < 1e-7);
  Net net(a);
  fill_parameters(net);
  train_step(net, random_batch(net.graph(), 1), {"Loss2"});
  const auto w = net.get("Hid.parameters.W").doubles();
  const auto g = net.get("Hid.gradients.W").doubles();
  for (std::size_t i = 0; i < w.size(); ++i) CHECK(g[i] == Approx(0.2 * w[i]));
  CHECK(all_zero(net.get("Hid.gradients.bias")));
  CHECK(all_zero(net.get("Out.gradients.W")));
}

TEST_CASE("two readers of one parameter add up, also when their layer comes later in the pass") {
  Architecture a = small_network();
  a["Out...parameters.W"] >> a.add("Decay", "Square") >> a.add("Loss2", "Loss", {{"importance", 0.1}});
  a["Out...parameters.W"] >> "a" - a.add("P", "Product");
  a["Out...parameters.W"] >> a["P.b"];
  a["P"] >> a.add("T", "Tanh") >> a.add("Loss3", "Loss");
  CHECK(error_of(a) < 1e-7);
}

TEST_CASE("gradients of one pass replace those of the pass before") {
  Net net(small_network());
  fill_parameters(net);
  const Batch batch = random_batch(net.graph(), 1);
  train_step(net, batch);
  const HostArray first = gradients(net);
  train_step(net, batch);
  CHECK(gradients(net) == first);
}

TEST_CASE("a pass for one head leaves no gradient of another head behind") {
  Architecture a = with_input();
  a["W"] >> a.add("H1", "Dense", {{"size", 2}}) >> a.add("Loss1", "Loss");
  a["W"] >> a.add("H2", "Dense", {{"size", 2}}) >> a.add("Loss2", "Loss");
  Net net(a);
  fill_parameters(net);
  const Batch batch = random_batch(net.graph(), 1);
  train_step(net, batch, {"Loss1"});
  CHECK_FALSE(all_zero(net.get("H1.gradients.W")));
  CHECK(all_zero(net.get("H2.gradients.W")));
  train_step(net, batch, {"Loss2"});
  CHECK(all_zero(net.get("H1.gradients.W")));
  CHECK_FALSE(all_zero(net.get("H2.gradients.W")));
  train_step(net, batch);
  CHECK_FALSE(all_zero(net.get("H1.gradients.W")));
  REQUIRE(net.losses().losses.size() == 2);
  net.forward(net.pass(Mode::Eval, {"Loss2"}));
  REQUIRE(net.losses().losses.size() == 1);
  CHECK(net.losses().losses[0].name == "Loss2");
}

TEST_CASE("losses are told one by one and as a sum") {
  Architecture a = small_network();
  a["Act"] >> a.add("More", "Loss", {{"importance", 0.25}});
  Net net(a, inspectable());
  fill_parameters(net);
  CHECK(net.losses().losses.empty());
  CHECK(net.total_loss() == 0);
  const double total = train_step(net, random_batch(net.graph(), 1));
  const auto report = net.losses();
  REQUIRE(report.losses.size() == 2);
  CHECK(report.losses[0].name == "Loss");
  CHECK(report.losses[1].name == "More");
  CHECK(report.total == Approx(report.losses[0].value + report.losses[1].value));
  CHECK(total == Approx(report.total));
  double sum = 0;
  for (const double v : net.get("Act.outputs.default").doubles()) sum += v;
  CHECK(report.losses[1].value == Approx(0.25 * sum));
}

TEST_CASE("frozen layers keep no gradient, and the others have the same as before") {
  Net all(small_network());
  Net some(small_network(), {.frozen = {"Hid"}});
  for (Net* net : {&all, &some}) {
    fill_parameters(*net);
    train_step(*net, random_batch(net->graph(), 1));
  }
  CHECK(all_zero(some.get("Hid.gradients.W")));
  CHECK(some.get("Out.gradients.W") == all.get("Out.gradients.W"));
  REQUIRE(some.trainable().size() == 2);
  CHECK(some.trainable()[0].entry->info->name == "W");
  CHECK(all.trainable().size() == 4);
}

TEST_CASE("backward needs a forward pass of training") {
  Net net(small_network());
  CHECK(message_of([&] { net.backward(); }) == "backward() needs a forward pass in Train mode first");
  net.provide(random_batch(net.graph(), 1));
  net.forward(Mode::Eval);
  CHECK(message_of([&] { net.backward(); }) == "backward() needs a forward pass in Train mode first");
  CHECK(message_of([&] { net.forward(PassId{17}); }) == "this pass was not registered with Network::pass()");
  CHECK(message_of([&] { net.forward(PassId{}); }) == "this pass was not registered with Network::pass()");
}

TEST_CASE("the same request gives the same pass") {
  Net net(small_network());
  CHECK(net.pass(Mode::Eval, {"Out"}).index == net.pass(Mode::Eval, {"Out"}).index);
  CHECK(net.pass(Mode::Eval, {"Out"}).index != net.pass(Mode::Train, {"Out"}).index);
  CHECK(net.pass(Mode::Eval, {"Out"}).index != net.pass(Mode::Eval, {"Hid"}).index);
  CHECK(message_of([&] { net.pass(Mode::Eval, {"Oout"}); }) == "there is no layer 'Oout' to run; did you mean 'Out'?");
}

TEST_CASE("states move in training only, and can be read, written and restored") {
  Architecture a;
  a.input({{"default", {"T", "B", 2}}});
  a["Input"] >> a.add("C", "Counting") >> a.add("D", "Counting") >> a.add("Loss", "Loss");
  Net net(a);
  net.initialize(1.0, 0);
  CHECK(net.get("C.state.count").doubles() == std::vector<double>{5, 5});
  const Batch batch = random_batch(net.graph(), 1);
  net.provide(batch);
  net.forward(Mode::Eval);
  CHECK(net.get("C.state.count").value(0) == 5);
  train_step(net, batch);
  train_step(net, batch);
  CHECK(net.get("C.state.count").value(0) == 7);
  const auto states = net.get_states();
  REQUIRE(states.size() == 2);
  train_step(net, batch);
  net.set_parameter("D.count", HostArray::of<double>(Shape{2}, {1, 2}));
  CHECK(net.get("D.state.count").doubles() == std::vector<double>{1, 2});
  net.set_states(states);
  CHECK(net.get("C.state.count").value(0) == 7);
  CHECK(net.get("D.state.count").value(1) == 7);
  CHECK(message_of([&] { net.set_parameter("D.count", HostArray(DType::F64, Shape{3})); }) ==
        "'D.count' is (2), but (3) was given");
}

TEST_CASE("noise depends on seed, layer and number of the training pass, on nothing else") {
  Architecture a;
  a.input({{"default", {"T", "B", 2}}});
  a["Input"] >> a.add("N", "Noise") >> a.add("M", "Noise") >> a.add("Loss", "Loss");
  const auto run = [&](std::uint64_t seed, bool eval_between) {
    Net net(a, {.memory = MemoryMode::Inspectable, .seed = seed});
    net.provide(random_batch(net.graph(), 1));
    std::vector<HostArray> out;
    for (int i = 0; i < 3; ++i) {
      net.forward(Mode::Train);
      out.push_back(net.get("M.outputs.default"));
      if (eval_between) {
        net.forward(Mode::Eval);
        CHECK(net.get("M.outputs.default") == net.get("Input.outputs.default"));
      }
    }
    net.set_random_step(1);
    net.forward(Mode::Train);
    CHECK(net.get("M.outputs.default") == out[1]);
    CHECK_FALSE(out[0] == out[1]);
    CHECK_FALSE(net.get("N.internals.noise") == net.get("M.internals.noise"));
    return out;
  };
  CHECK(run(1, false) == run(1, true));
  CHECK_FALSE(run(1, false) == run(2, false));
}

TEST_CASE("two networks can share a handler without disturbing each other") {
  const auto handler = cpu();
  Network a(small_network(), layers(), handler);
  Network b(small_network(2, 3, 1), layers(), handler);
  Net alone(small_network());
  fill_parameters(a);
  fill_parameters(b);
  fill_parameters(alone);
  for (int i = 0; i < 3; ++i) {
    const Batch batch = random_batch(a.graph(), static_cast<std::uint64_t>(i), 2, 3 + i);
    a.provide(batch);
    a.forward(Mode::Train);
    train_step(b, random_batch(b.graph(), 7, 3, 4));
    a.backward();
    const double loss = train_step(alone, batch);
    CHECK(a.total_loss() == loss);
    CHECK(gradients(a) == gradients(alone));
  }
}

TEST_CASE("memory goes back to the handler with the network") {
  const auto handler = cpu();
  const auto before = handler->memory().allocated_bytes();
  {
    Network net(small_network(), layers(), handler);
    fill_parameters(net);
    train_step(net, random_batch(net.graph(), 1));
    CHECK(handler->memory().allocated_bytes() > before);
  }
  CHECK(handler->memory().allocated_bytes() == before);
}

TEST_CASE("an error inside a layer says which layer and in which phase, and keeps its kind") {
  Architecture a;
  a.input({{"default", {"T", "B", 2}}});
  a["Input"] >> a.add("D", "Dense", {{"size", 2}}) >> a.add("P", "Peeking") >> a.add("Loss", "Loss");
  Net net(a);
  fill_parameters(net);
  net.provide(random_batch(net.graph(), 1));
  net.forward(Mode::Train);
  CHECK(message_of([&] { net.backward(); }) ==
        "in Peeking 'P', backward: input 'default' is read in backward but not named in backward_reads()");
}

TEST_CASE("a debug handler names the layer whose result is not finite") {
  Architecture a;
  a.input({{"default", {"T", "B", 2}}});
  a["Input"] >> a.add("S", "Tanh") >> a.add("L", "Log") >> a.add("Loss", "Loss");
  Net net(a, {}, "debug:cpu:f64");
  net.provide(random_batch(net.graph(), 1));
  try {
    net.forward(Mode::Eval);
    FAIL("the logarithm of a negative number went unnoticed");
  } catch (const NumericError& e) {
    CHECK(std::string(e.what()).starts_with("in Log 'L', forward: log: "));
  }
}
