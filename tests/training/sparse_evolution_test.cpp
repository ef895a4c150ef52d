// The hook SparseEvolution: connections drawn at random that move while training goes on.
#include <set>

#include "masks/mask_nets.hpp"
#include "squall/hooks/hooks.hpp"
#include "squall/training/trainer.hpp"
#include "support/handlers_under_test.hpp"
#include "training_support.hpp"

using namespace squall;
using namespace squall::test;

namespace {

constexpr Index kFeatures = 30, kClasses = 4;

Architecture one_hidden(Index units) {
  Architecture a;
  a.input({{"x", {"T", "B", kFeatures}}, {"y", {"T", "B", 1}}});
  a.add("hidden", "MaskedDense", {{"units", units}, {"activation", "rel"}});
  a.add("out", "MaskedDense", {{"units", kClasses}});
  a.add("ce", "SoftmaxCE");
  a.add("Loss", "Loss");
  a.connect({"Input", "x", "hidden", "default"});
  a.connect({"hidden", "default", "out", "default"});
  a.connect({"out", "default", "ce", "default"});
  a.connect({"Input", "y", "ce", "targets"});
  a.connect({"ce", "loss", "Loss", "default"});
  return a;
}

// Clouds around one centre per class.
std::shared_ptr<DataSource> clouds(Index examples, std::uint64_t seed) {
  Rng place(1, "centres"), rng(seed, "clouds");
  Values centres, x;
  for (Index i = 0; i < kClasses * kFeatures; ++i) centres.push_back(0.6 * place.normal());
  std::vector<std::int32_t> y;
  for (Index i = 0; i < examples; ++i) {
    const Index c = rng.below(kClasses);
    y.push_back(static_cast<std::int32_t>(c));
    for (Index k = 0; k < kFeatures; ++k)
      x.push_back(centres[static_cast<std::size_t>(c * kFeatures + k)] + rng.normal());
  }
  auto source = std::make_shared<DataSource>();
  source->fields.emplace_back("x", HostArray::of(Shape{examples, kFeatures}, x).cast(DType::F32));
  source->fields.emplace_back("y", HostArray::of(Shape{examples, 1}, y));
  return source;
}

struct Evolving {
  Network network;
  Minibatches data, validation;
  std::unique_ptr<Trainer> trainer;
  Evolving(const json& hook, Index units = 100, const json& rule = {{"@type", "Adam"}, {"learning_rate", 0.01}})
      : network(one_hidden(units), training_test::catalog(), squall::test::make_under_test("cpu:f32")),
        data(clouds(512, 2), {.batch_size = 32}),
        validation(clouds(500, 3), {.batch_size = 500, .shuffle = false}) {
    network.initialize({{"default", {{"@type", "Gaussian"}, {"std", 0.2}}}}, 7);
    Task task;
    task.name = "clouds";
    task.input = "x";
    task.targets = "y";
    task.loss = "Loss";
    task.scorers.push_back(
        training_test::catalog().of<Scorer>().make({{"@type", "Accuracy"}}, "scorer", training_test::catalog()));
    trainer = std::make_unique<Trainer>(network,
                                        std::make_unique<Stepper>(training_test::catalog().of<UpdateRule>().make(
                                            rule, "stepper", training_test::catalog())),
                                        std::vector<Task>{task});
    if (!hook.is_null())
      trainer->add_hook(training_test::catalog().of<Hook>().make(hook, "hook", training_test::catalog()));
  }
  ParameterEntry& weights(const std::string& layer = "hidden") { return *network.store().find(layer, "W"); }
  Values values() { return network.store().get(weights()).doubles(); }
  Bytes mask(const std::string& layer = "hidden") {
    const auto keep = network.store().mask(weights(layer));
    REQUIRE(keep);
    const auto bytes = keep->span<std::uint8_t>();
    return {bytes.begin(), bytes.end()};
  }
  double accuracy() { return evaluate(network, validation, trainer->tasks())[0].get("accuracy"); }
};

json evolution(double epsilon, double zeta = 0.3) {
  return {{"@type", "SparseEvolution"}, {"epsilon", epsilon}, {"zeta", zeta}, {"layers", {"hidden"}}};
}

// No update changes anything.
const json kStill = {{"@type", "Sgd"}, {"learning_rate", 0}};

}  // namespace

TEST_CASE("SparseEvolution begins with as many connections as its epsilon says", "[evolution]") {
  for (const double epsilon : {1.0, 2.3, 5.0}) {
    Evolving e(evolution(epsilon, 0), 100, kStill);
    e.trainer->train(e.data, {}, 1);
    const double all = 3000, p = epsilon * 130 / all;
    CHECK(std::abs(static_cast<double>(count(e.mask())) - all * p) < 4 * std::sqrt(all * p * (1 - p)));
    CHECK(!e.network.store().mask(e.weights("out")));  // `layers` does not name it
  }
  Evolving full(evolution(200, 0), 100, kStill);  // a density of 8.7 is 1
  full.trainer->train(full.data, {}, 1);
  CHECK(count(full.mask()) == 3000);
}

TEST_CASE("SparseEvolution moves the weakest of each sign to places that had no connection", "[evolution]") {
  Evolving e(evolution(5), 100, kStill);
  std::vector<Bytes> masks;
  std::vector<Values> weights;
  for (int epoch = 0; epoch < 2; ++epoch) {
    e.trainer->train(e.data, {}, 1);
    masks.push_back(e.mask());
    weights.push_back(e.values());
  }
  CHECK(count(masks[0]) == count(masks[1]));
  for (const double sign : {1.0, -1.0}) {
    std::vector<double> active, gone;
    for (std::size_t i = 0; i < masks[0].size(); ++i) {
      if (masks[0][i] == 0 || sign * weights[0][i] <= 0) continue;
      active.push_back(std::abs(weights[0][i]));
      if (masks[1][i] == 0) gone.push_back(active.back());
    }
    std::ranges::sort(active);
    std::ranges::sort(gone);
    active.resize(static_cast<std::size_t>(0.3 * static_cast<double>(active.size())));
    CHECK(active == gone);
  }
  const double limit = std::sqrt(6.0 / 130);
  std::set<double> fresh;
  for (std::size_t i = 0; i < masks[0].size(); ++i) {
    if (masks[1][i] == 0) CHECK(weights[1][i] == 0);
    if (masks[0][i] == 1 && masks[1][i] == 1) CHECK(weights[1][i] == weights[0][i]);
    if (masks[0][i] == 1 || masks[1][i] == 0) continue;
    CHECK(std::abs(weights[1][i]) <= limit);
    fresh.insert(weights[1][i]);
  }
  CHECK(fresh.size() > 100);
}

TEST_CASE("SparseEvolution depends on its seed and does nothing with zeta 0 or after its end", "[evolution]") {
  const auto after = [](json hook, Index epochs) {
    Evolving e(hook, 100, kStill);
    e.trainer->train(e.data, {}, epochs);
    return std::pair{e.mask(), e.values()};
  };
  json other = evolution(5), ended = evolution(5);
  other["seed"] = 1;
  ended["until"] = 1;
  CHECK(after(evolution(5), 3) == after(evolution(5), 3));
  CHECK(after(evolution(5), 3) != after(other, 3));
  CHECK(after(evolution(5), 1) != after(evolution(5), 2));
  CHECK(after(evolution(5, 0), 1) == after(evolution(5, 0), 3));
  CHECK(after(ended, 3) == after(evolution(5, 0), 1));
}

TEST_CASE("What an update rule remembers of connections that moved is forgotten", "[evolution]") {
  Evolving e(evolution(5));
  e.trainer->train(e.data, {}, 1);
  const Bytes before = e.mask();
  e.trainer->train(e.data, {}, 1);
  const Bytes now = e.mask();
  const auto state = e.trainer->stepper().save_state();
  REQUIRE(state.size() == 2);
  Index kept = 0;
  for (std::size_t i = 0; i < now.size(); ++i)
    for (const auto& vector : state) {
      const double s = vector.value(e.weights().offset + static_cast<Index>(i));
      if (now[i] == 0 || before[i] == 0) CHECK(s == 0);
      if (now[i] == 1 && before[i] == 1) kept += s != 0 ? 1 : 0;
    }
  CHECK(kept > 500);
}

TEST_CASE("A tenth of the connections that evolves learns nearly what all of them learn", "[evolution]") {
  Evolving dense(nullptr), sparse(evolution(0.1 * 3000 / 130));
  dense.trainer->train(dense.data, {}, 20);
  sparse.trainer->train(sparse.data, {}, 20);
  CHECK(dense.accuracy() > 0.9);
  CHECK(sparse.accuracy() >= 0.98 * dense.accuracy());
  const auto* connections = sparse.trainer->logs().find("SparseEvolution.connections");
  REQUIRE(connections != nullptr);
  CHECK(connections->size() == 21);
  CHECK(std::ranges::count(*connections, static_cast<double>(count(sparse.mask()))) == 21);
}

TEST_CASE("SparseEvolution says what it cannot do", "[evolution]") {
  const auto make = [](const json& hook) {
    return training_test::catalog().of<Hook>().make(hook, "hook", training_test::catalog());
  };
  CHECK_THROWS_WITH(make(evolution(0)), Catch::Contains("'epsilon' should be positive"));
  CHECK_THROWS_WITH(make(evolution(5, 1.5)), Catch::Contains("'zeta' should be a share"));
  json nowhere = evolution(5);
  nowhere["layers"] = {"ce"};
  Evolving e(nowhere);
  CHECK_THROWS_WITH(e.trainer->train(e.data, {}, 1), Catch::Contains("no layer of [\"ce\"]"));
}
