// Data of changing sizes: the same results as a fresh network, clear errors, and no allocation once sizes are known.
#include "squall/core/binding.hpp"

#include <algorithm>

#include "support/catch.hpp"
#include "support/graph_rig.hpp"

using namespace squall;
using namespace graph_test;

namespace {

// Two tasks whose data have sizes of their own.
Architecture two_tasks() {
  Architecture a;
  a.input({{"a", {"T", "B", 3}}, {"b", {"T2", "B_b", 3}}, {"ta", {"T", "B", 2}}, {"tb", {"T2", "B_b", 2}}});
  a.add("M", "Tasks", {{"tasks", {"a", "b"}}, {"size", 2}});
  for (const std::string t : {"a", "b"}) {
    a["Input." + t] >> a["M." + t];
    a["M." + t] >> a.add("Error_" + t, "Error");
    a["Input.t" + t] >> a["Error_" + t + ".targets"];
    a["Error_" + t + ".loss"] >> a.add("Loss_" + t, "Loss");
  }
  return a;
}

Batch only(const Batch& batch, const std::vector<std::string>& names) {
  Batch out;
  for (const auto& f : batch.fields)
    if (std::ranges::find(names, f.first) != names.end()) out.fields.push_back(f);
  return out;
}

std::string provide_error(Network& net, const Batch& batch) {
  return message_of([&] { net.provide(batch); });
}

}  // namespace

TEST_CASE("batch sizes up and down give what a fresh network gives, and leave parameters alone") {
  for (const auto mode : {MemoryMode::Compact, MemoryMode::Inspectable}) {
    Net net(small_network(), {.memory = mode});
    fill_parameters(net);
    const HostArray parameters = net.get("parameters");
    std::uint64_t seed = 0;
    for (const auto& [time, batch] : std::vector<std::pair<Index, Index>>{
             {1, 4}, {1, 1}, {3, 2}, {1, 9}, {2, 9}, {1, 4}, {5, 7}, {1, 1}, {3, 2}, {1, 4}}) {
      Net fresh(small_network(), {.memory = mode});
      fill_parameters(fresh);
      const Batch data = random_batch(net.graph(), ++seed, time, batch);
      const double loss = train_step(net, data);
      CHECK(loss == train_step(fresh, data));
      CHECK(gradients(net) == gradients(fresh));
      CHECK(net.get("parameters") == parameters);
    }
  }
}

TEST_CASE("training and evaluation in turns do not disturb each other") {
  Net net(small_network());
  Net training_only(small_network());
  fill_parameters(net);
  fill_parameters(training_only);
  HostArray first_evaluation;
  for (int i = 0; i < 4; ++i) {
    const Batch data = random_batch(net.graph(), static_cast<std::uint64_t>(i), 1, 3 + i % 2);
    train_step(net, data);
    train_step(training_only, data);
    CHECK(gradients(net) == gradients(training_only));
    net.provide(random_batch(net.graph(), 77, 2, 6));
    net.forward(net.pass(Mode::Eval, {"Out"}));
    const HostArray out = net.get("Out.outputs.default");
    if (i == 0) first_evaluation = out;
    CHECK(out == first_evaluation);
  }
}

TEST_CASE("more sizes than are remembered still give the right results") {
  Net net(small_network());
  fill_parameters(net);
  std::vector<double> losses;
  for (int round = 0; round < 2; ++round)
    for (Index b = 1; b <= 20; ++b) {
      const double loss = train_step(net, random_batch(net.graph(), static_cast<std::uint64_t>(b), 1, b));
      if (round == 0)
        losses.push_back(loss);
      else
        CHECK(loss == losses[static_cast<std::size_t>(b - 1)]);
    }
}

TEST_CASE("tasks with data of different sizes run together and alone") {
  Net net(two_tasks());
  fill_parameters(net);
  const Batch data = random_batch(net.graph(), 1, {{"T", 1}, {"B", 5}, {"T2", 3}, {"B_b", 2}});
  const double both = train_step(net, data);
  const auto together = net.losses();
  REQUIRE(together.losses.size() == 2);
  const HostArray gradient = net.get("M.gradients.W");
  net.provide(data);
  CHECK(gradient_error(net, net.pass(Mode::Train)) < 1e-7);
  double alone = 0;
  for (const std::string t : {"a", "b"}) {
    Net one(two_tasks());
    fill_parameters(one);
    alone += train_step(one, only(data, {t, "t" + t}), {"Loss_" + t});
    const Index slice = t == "a" ? 0 : 1;
    for (Index i = 0; i < 6; ++i) {
      CHECK(one.get("M.gradients.W").value(slice * 6 + i) == gradient.value(slice * 6 + i));
      CHECK(one.get("M.gradients.W").value((1 - slice) * 6 + i) == 0);
    }
  }
  CHECK(both == Approx(alone));
}

TEST_CASE("sizes of another task do not ask for another binding") {
  Net net(two_tasks());
  fill_parameters(net);
  const PassId pass = net.pass(Mode::Train, {"Loss_a"});
  const auto sizes = [](Index b) {
    return std::vector<std::pair<std::string, Index>>{{"T", 1}, {"B", 5}, {"T2", 1}, {"B_b", b}};
  };
  net.provide(only(random_batch(net.graph(), 1, sizes(2)), {"a", "ta"}));
  net.forward(pass);
  const Binding* first = &net.binding();
  net.forward(pass);
  CHECK(&net.binding() == first);
  net.provide(random_batch(net.graph(), 1, sizes(3)));
  net.forward(pass);
  CHECK(&net.binding() == first);
}

TEST_CASE("data that contradict each other are told, and nothing of them is taken") {
  Net net(small_network());
  fill_parameters(net);
  const Batch good = random_batch(net.graph(), 1, 1, 4);
  const double loss = train_step(net, good);
  Batch bad = good;
  bad.fields[1].second = random_array(Shape{1, 5, 2}, 1);
  bad.fields[0].second = random_array(Shape{1, 4, 3}, 99);
  CHECK(provide_error(net, bad) == "data for Input.targets has B = 5, but other data of this batch has 4");
  net.forward(Mode::Train);
  CHECK(net.total_loss() == loss);
}

TEST_CASE("data of a wrong shape are told with what they should be") {
  Net net(small_network());
  const auto error = [&](const Shape& shape) {
    Batch batch;
    batch.fields = {{"default", random_array(shape, 1)}};
    return provide_error(net, batch);
  };
  CHECK(error(Shape{1, 4, 5}) == "data for Input.default is (1, 4, 5), but it should be (T, B, 3)");
  CHECK(error(Shape{4, 3}) == "data for Input.default is (4, 3), but it should be (T, B, 3)");
  CHECK(error(Shape{3}) == "data for Input.default is (3), but it should be (T, B, 3)");
  CHECK(error(Shape{1, 0, 3}) == "data for Input.default is empty: (1, 0, 3)");
  CHECK(error(Shape{1, 4, 3, 1}) == "no error");
  CHECK(error(Shape{1, 4, 1, 3}) == "no error");
}

TEST_CASE("features may come flat or in another shape of the same size") {
  Architecture a;
  a.input({{"default", {"B", 2, 3}}});
  a["Input"] >> a.add("T", "Tanh");
  Net net(a);
  const PassId pass = net.pass(Mode::Eval, {"T"});
  const HostArray data = random_array(Shape{4, 2, 3}, 1);
  Batch batch;
  batch.fields = {{"default", data}};
  net.provide(batch);
  net.forward(pass);
  const HostArray expected = net.get("T.outputs.default");
  batch.fields = {{"default", data.reshaped(Shape{4, 6})}};
  net.provide(batch);
  net.forward(pass);
  CHECK(net.get("T.outputs.default") == expected);
}

TEST_CASE("missing data are told by name and shape") {
  Net net(small_network());
  CHECK(message_of([&] { net.forward(Mode::Eval); }) ==
        "no data was provided for Input.default, which should be (T, B, 3)");
  net.provide(only(random_batch(net.graph(), 1), {"default"}));
  CHECK(message_of([&] { net.forward(Mode::Train); }) ==
        "no data was provided for Input.targets, which should be (T, B, 2)");
  CHECK(message_of([&] { net.forward(net.pass(Mode::Eval, {"Out"})); }) == "no error");
}

TEST_CASE("data that no layer reads need not be provided, whatever their sizes") {
  Architecture a;
  a.input({{"default", {"T", "B", 3}}, {"other", {"T2", "B_other", 5}}});
  a["Input"] >> a.add("T", "Tanh");
  Net net(a);
  net.provide(only(random_batch(net.graph(), 1), {"default"}));
  CHECK(message_of([&] { net.forward(Mode::Eval); }) == "no error");
  CHECK(message_of([&] { net.get("Input.outputs.other"); }) == "'Input.outputs.other' was not part of the last pass");
}

TEST_CASE("data that are not provided again stay, unless their sizes no longer fit") {
  Net net(small_network());
  fill_parameters(net);
  const Batch first = random_batch(net.graph(), 1, 1, 4);
  const Batch second = random_batch(net.graph(), 2, 1, 4);
  train_step(net, first);
  const double mixed = train_step(net, only(second, {"default"}));
  Batch whole = second;
  whole.fields[1] = first.fields[1];
  CHECK(mixed == train_step(net, whole));
  net.provide(only(random_batch(net.graph(), 3, 1, 8), {"default"}));
  CHECK(message_of([&] { net.forward(Mode::Train); }) ==
        "Input.targets holds data of shape (1, 4, 2) from an earlier batch, but this one has B = 8; provide it, too");
  CHECK(message_of([&] { net.forward(net.pass(Mode::Eval, {"Out"})); }) == "no error");
}

TEST_CASE("names that Input does not have are ignored") {
  Net net(small_network());
  fill_parameters(net);
  Batch batch = random_batch(net.graph(), 1);
  batch.fields.emplace_back("something", random_array(Shape{77}, 1));
  CHECK(std::isfinite(train_step(net, batch)));
}

TEST_CASE("data of any element type are taken") {
  Net net(small_network(), {}, "cpu:f32");
  fill_parameters(net);
  const Batch doubles = random_batch(net.graph(), 1);
  const double loss = train_step(net, doubles);
  Batch floats = doubles;
  for (auto& f : floats.fields) f.second = f.second.cast(DType::F32);
  CHECK(train_step(net, floats) == loss);
  Architecture a;
  a.input({{"labels", {"T", "B", 1}}});
  a["Input.labels"] >> a.add("L", "Label");
  Net labels(a);
  Batch batch;
  batch.fields = {{"labels", HostArray::of<float>(Shape{1, 3, 1}, {0, 7, 2})}};
  labels.provide(batch);
  labels.forward(labels.pass(Mode::Eval, {"L"}));
  CHECK(labels.get("Input.outputs.labels").dtype() == DType::I32);
  CHECK(labels.get("L.outputs.default").doubles() == std::vector<double>{0, 7, 2});
}

TEST_CASE("the planned memory is what is allocated") {
  for (const auto mode : {MemoryMode::Compact, MemoryMode::Inspectable}) {
    Net net(small_network(), {.memory = mode});
    fill_parameters(net);
    const PassId pass = net.pass(Mode::Train);
    const auto before = net.handler().memory().allocated_bytes();
    const Layout plan = net.plan_memory(pass, {{"T", 2}, {"B", 50}});
    CHECK(net.handler().memory().allocated_bytes() == before);
    CHECK(net.arena_bytes() == 0);
    net.provide(random_batch(net.graph(), 1, 2, 50));
    const auto with_inputs = net.handler().memory().allocated_bytes();
    net.forward(pass);
    CHECK(net.arena_bytes() == plan.arena_bytes);
    CHECK(net.handler().memory().allocated_bytes() - with_inputs == plan.arena_bytes);
    CHECK(net.binding().layout().report() == plan.report());
  }
}

TEST_CASE("sharing memory needs less of it, evaluation less than training") {
  Architecture a;
  a.input({{"default", {"T", "B", 32}}});
  auto last = a["Input.default"];
  for (int i = 0; i < 10; ++i)
    last = last >> a.add(concat("D", i), "Dense", {{"size", 32}}) >> a.add(concat("T", i), "Tanh");
  last >> a.add("Loss", "Loss");
  const auto arena = [&](MemoryMode memory, Mode mode) {
    Net net(a, {.memory = memory});
    return net.plan_memory(net.pass(mode, {"Loss"}), {{"B", 10}}).arena_bytes;
  };
  const std::size_t one = 10 * 32 * sizeof(double);
  CHECK(arena(MemoryMode::Compact, Mode::Eval) == 2 * one);
  CHECK(arena(MemoryMode::Compact, Mode::Train) < 14 * one);
  CHECK(arena(MemoryMode::Inspectable, Mode::Train) > 50 * one);
}

TEST_CASE("plans share one workspace and keep a reserve each from forward to backward") {
  Architecture a;
  a.input({{"default", {"T", "B", 4}}});
  a["Input"] >> a.add("W", "Dense", {{"size", 4}}) >> a.add("C1", "Cube") >> a.add("C2", "Cube") >>
      a.add("Loss", "Loss", {{"importance", 0.01}});
  Net net(a);
  fill_parameters(net);
  net.provide(random_batch(net.graph(), 1, 1, 4));
  CHECK(gradient_error(net, net.pass(Mode::Train)) < 1e-6);
  CHECK(net.binding().workspace_bytes() == 16 * sizeof(double));
  int workspaces = 0;
  int reserves = 0;
  for (const auto& b : net.binding().layout().buffers) {
    workspaces += b.path == "workspace" ? 1 : 0;
    reserves += contains(b.path, ".reserve.") ? 1 : 0;
  }
  CHECK(workspaces == 1);
  CHECK(reserves == 2);
}

TEST_CASE("a size that the network does not have is told") {
  Net net(two_tasks());
  CHECK(message_of([&] {
          net.plan_memory(net.pass(Mode::Eval), {{"B_c", 3}});
        }) == "the network has no size 'B_c'; did you mean 'B_b'?; sizes are: T, B, T2, B_b");
}

TEST_CASE("a batch too large for the memory is an error, and the network goes on with smaller ones") {
  Architecture a;
  a.input({{"default", {"B", 1}}});
  a["Input"] >> a.add("Wide", "Dense", {{"size", 1 << 20}}) >> a.add("T", "Tanh") >> a.add("Loss", "Loss");
  Net net(a, inspectable());
  Batch small;
  small.fields = {{"default", random_array(Shape{1, 1}, 1)}};
  const double loss = train_step(net, small);
  Batch large;
  large.fields = {{"default", HostArray(DType::F64, Shape{Index{1} << 23, 1})}};
  net.provide(large);
  CHECK_THROWS_AS(net.forward(Mode::Train), DeviceError);
  CHECK(train_step(net, small) == loss);
  CHECK(train_step(net, small) == loss);
}
