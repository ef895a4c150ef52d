// Nothing is allocated in a step once its sizes have been met.
#include "squall/testing/guards.hpp"
#include "support/catch.hpp"
#include "support/graph_rig.hpp"

using namespace squall;
using namespace graph_test;
using squall::testing::allocation_count;

namespace {

struct Counted {
  std::uint64_t host = 0;
  std::size_t device = 0;
  friend bool operator==(const Counted&, const Counted&) = default;
};

// Allocations of f(), by operator new and by the handler.
template <class F>
Counted allocations_of(Network& net, F&& f) {
  const Counted before{allocation_count(), net.handler().memory().allocations()};
  f();
  return {allocation_count() - before.host, net.handler().memory().allocations() - before.device};
}

// Everything a graph can have: joins, parameters as sources, states, noise, internals, context, several losses.
Architecture everything() {
  Architecture a = small_network();
  a["Hid...parameters.W"] >> a.add("Decay", "Square") >> a.add("Loss2", "Loss", {{"importance", 0.1}});
  a["Act"] >> a.add("L", "Leaky") >> a.add("C", "Counting") >> a.add("N", "Noise") >> a.add("Loss3", "Loss");
  a["Act"] >> a.add("S", "Square") >> a["Loss3"];
  a["Act"] >> a.add("F", "Fork");
  a["F.left"] >> "a" - a.add("P", "Product");
  a["F.right"] >> a["P.b"];
  a["P"] >> a["Loss3"];
  a["P"] >> a.add("Q", "Cube") >> a["Loss3"];
  return a;
}

}  // namespace

TEST_CASE("the counter of allocations counts") {
  const auto before = allocation_count();
  const auto something = std::make_unique<std::vector<double>>(10);
  CHECK(allocation_count() - before == 2);
}

TEST_CASE("no allocation in training steps once the size is known") {
  for (const auto mode : {MemoryMode::Compact, MemoryMode::Inspectable}) {
    Net net(everything(), {.memory = mode});
    fill_parameters(net);
    const Batch batch = random_batch(net.graph(), 1, 2, 4);
    const PassId pass = net.pass(Mode::Train);
    const auto step = [&] {
      net.provide(batch);
      net.forward(pass);
      net.backward();
      net.total_loss();
      net.trainable();
      net.parameters_changed();
    };
    step();
    for (int i = 0; i < 3; ++i) CHECK(allocations_of(net, step) == Counted{});
  }
}

TEST_CASE("no allocation where sizes, modes and heads change among known ones") {
  Net net(everything());
  fill_parameters(net);
  const Batch large = random_batch(net.graph(), 1, 2, 9);
  const Batch small = random_batch(net.graph(), 1, 1, 3);
  const PassId train = net.pass(Mode::Train, {"Loss"});
  const PassId eval = net.pass(Mode::Eval, {"Out"});
  const auto epoch = [&] {
    for (const Batch* batch : {&large, &small}) {
      net.provide(*batch);
      net.forward(train);
      net.backward();
      net.forward(eval);
      net.forward(Mode::Eval);
      net.forward(Mode::Train);
      net.backward();
    }
  };
  epoch();
  for (int i = 0; i < 3; ++i) CHECK(allocations_of(net, epoch) == Counted{});
}

TEST_CASE("wanted deltas, frozen layers and missing sizes do not allocate in every step either") {
  Architecture a = everything();
  Net net(a, {.wants_deltas = {"Input.*", "Act.*"}, .frozen = {"Out"}});
  fill_parameters(net);
  const Batch batch = random_batch(net.graph(), 1, 2, 4);
  const auto step = [&] {
    net.provide(batch);
    net.forward(Mode::Train);
    net.backward();
  };
  step();
  CHECK(allocations_of(net, step) == Counted{});

  Architecture two;  // only the data of one task are ever provided
  two.input({{"a", {"T", "B", 2}}, {"b", {"T2", "B2", 2}}});
  two.add("M", "Tasks", {{"tasks", {"a", "b"}}, {"size", 2}});
  two["Input.a"] >> two["M.a"];
  two["Input.b"] >> two["M.b"];
  two["M.a"] >> two.add("Loss_a", "Loss");
  Net tasks(two);
  Batch only;
  only.fields = {{"a", random_array(Shape{1, 3, 2}, 1)}};
  const PassId pass = tasks.pass(Mode::Train, {"Loss_a"});
  const auto task_step = [&] {
    tasks.provide(only);
    tasks.forward(pass);
    tasks.backward();
  };
  task_step();
  CHECK(allocations_of(tasks, task_step) == Counted{});
}

TEST_CASE("masked and packed parameters do not allocate in steps") {
  Architecture a;
  a.input({{"a", {"T", "B", 2}}, {"b", {"T", "B", 2}}});
  a.add("M", "Tasks", {{"tasks", {"a", "b"}}, {"size", 2}});
  for (const std::string t : {"a", "b"}) {
    a["Input." + t] >> a["M." + t];
    a["M." + t] >> a.add("Loss_" + t, "Loss");
  }
  Net net(a);
  fill_parameters(net);
  ParameterEntry* w = net.store().find("M", "W");
  const auto batch = random_batch(net.graph(), 1);
  const auto step = [&] {
    net.provide(batch);
    net.forward(Mode::Train);
    net.backward();
    net.trainable();
    net.parameters_changed();
  };
  net.store().set_mask(*w, HostArray::of<std::uint8_t>(Shape{2, 2, 2}, {1, 1, 0, 0, 0, 0, 1, 0}));
  step();
  CHECK(allocations_of(net, step) == Counted{});
  net.store().pack({w});
  step();
  CHECK(allocations_of(net, step) == Counted{});
}
