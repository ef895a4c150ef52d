// Training on every handler, and on the device of a run that is about one, follows training in double precision on the
// CPU: networks of all kinds, and every rule.
#include "support/handlers_under_test.hpp"
#include "training_support.hpp"

using namespace squall;
using training_test::catalog;

namespace {

struct Kind {
  std::string name;
  json input;
  std::vector<std::pair<std::string, json>> layers;  // between the input and the last one
  Index time = 1;
};

std::vector<Kind> kinds() {
  const json wide = {{"size", 6}, {"activation", "tanh"}};
  const json filters = {{"num_filters", 3}, {"kernel_size", {3, 3}}, {"padding", 1}, {"activation", "tanh"}};
  return {{"dense", {5}, {{"FullyConnected", wide}, {"BatchNorm", json::object()}, {"Dropout", {{"drop_prob", 0.3}}}}},
          {"images", {4, 4, 2}, {{"Convolution2D", filters}, {"Pooling2D", {{"kernel_size", {2, 2}}}}}},
          {"lstm", {3}, {{"Lstm", {{"size", 5}}}}, 4},
          {"normalised recurrent", {3}, {{"Recurrent", wide}, {"LayerNorm", json::object()}}, 3}};
}

Architecture architecture(const Kind& kind) {
  Architecture a;
  json shape = {"T", "B"};
  for (const auto& n : kind.input) shape.push_back(n);
  a.input({{"default", shape}, {"targets", {"T", "B", 1}}});
  Port at = a["Input.default"];
  for (const auto& [type, options] : kind.layers) at = at >> a.add(type, type, options);
  at >> a.add("Out", "FullyConnected", {{"size", 3}, {"activation", "linear"}}) >> a.add("Criterion", "SoftmaxCE");
  a["Input.targets"] >> a["Criterion.targets"];
  a["Criterion.loss"] >> a.add("Loss", "Loss");
  return a;
}

struct Run {
  Run(const Kind& kind, const json& rule, std::shared_ptr<Handler> handler)
      : network(architecture(kind), catalog(), std::move(handler), {.seed = 3}),
        stepper(training_test::make<UpdateRule>(rule)),
        pass(network.pass(Mode::Train)) {
    network.initialize({{"default", {{"@type", "Gaussian"}, {"std", 0.4}}}}, 7);
    stepper.start(network);
    Shape shape{kind.time, 6};
    for (const auto& n : kind.input) shape = shape.with_back(n.get<Index>());
    HostArray x(DType::F64, shape), y(DType::I32, {kind.time, 6, 1});
    for (Index i = 0; i < x.elements(); ++i) x.set_value(i, static_cast<double>((i * 7) % 11) / 11 - 0.4);
    for (Index i = 0; i < y.elements(); ++i) y.set_value(i, static_cast<double>((i * 5) % 3));
    Batch batch;
    batch.fields = {{"default", x}, {"targets", y}};
    network.provide(batch);
  }
  std::vector<double> train(int steps) {
    Progress progress;
    for (int i = 0; i < steps; ++i) {
      progress.update = i;
      stepper.step(pass, progress);
    }
    return parameters();
  }
  std::vector<double> parameters() const {
    std::vector<double> all;  // the flat parameters have gaps that differ with the type of numbers
    for (const auto& entry : network.store().entries()) {
      const std::string layer = network.graph().node(entry.node).name;
      const auto values = network.get(layer + ".parameters." + std::string(entry.info->name)).doubles();
      all.insert(all.end(), values.begin(), values.end());
    }
    return all;
  }
  Network network;
  Stepper stepper;
  PassId pass;
};

void follow(const Kind& kind, const json& rule, int steps) {
  const auto want = Run(kind, rule, make_handler("cpu:f64")).train(steps);
  for (const auto& one : test::handlers_under_test()) {
    INFO(one.name << ": " << kind.name << ", " << rule.dump());
    const auto got = Run(kind, rule, test::make_by_name(one.name)).train(steps);
    REQUIRE(got.size() == want.size());
    const double tolerance = one.name.ends_with("f64") ? 1e-9 : 5e-4;
    for (std::size_t i = 0; i < got.size(); ++i) CHECK(got[i] == Approx(want[i]).margin(tolerance));
  }
}

}  // namespace

TEST_CASE("Every kind of network is trained on every handler as in double precision", "[gpu]") {
  for (const Kind& kind : kinds()) follow(kind, {{"@type", "Momentum"}, {"learning_rate", 0.05}, {"momentum", 0.9}}, 6);
}

TEST_CASE("Every rule trains on every handler as in double precision", "[gpu]") {
  for (const json& rule : training_test::every_rule()) follow(kinds()[0], rule, 4);
}

TEST_CASE("A network that is moved to another handler keeps its parameters", "[gpu]") {
  for (const auto& one : test::handlers_under_test()) {
    INFO(one.name);
    Run run(kinds()[0], {{"@type", "Sgd"}}, make_handler("cpu:f32"));
    const auto before = run.parameters();
    run.network.set_handler(test::make_by_name(one.name));
    CHECK(run.parameters() == before);  // numbers of f32, which f64 holds
    run.network.set_handler(make_handler("cpu:f32"));
    CHECK(run.parameters() == before);
  }
}
