// Training on a handler that records its steps gives the bits of one that does not. The kernels and the recording are
// those of the CUDA handler, run on the host.
#include <limits>

#include "handlers/on_host/host_context.hpp"
#include "squall/core/network.hpp"
#include "squall/layers/layers.hpp"
#include "squall/training/stepper.hpp"
#include "squall/training/training.hpp"
#include "support/catch.hpp"
#include "support/handlers_under_test.hpp"
#include "training_support.hpp"

using namespace squall;

namespace {

using training_test::catalog;

Architecture convolutional() {
  Architecture a;
  a.input({{"default", {"T", "B", 6, 5, 2}}, {"targets", {"T", "B", 1}}});
  a["Input.default"] >> a.add("Conv", "Convolution2D", {{"num_filters", 3}, {"kernel_size", {3, 3}}}) >>
      a.add("Pool", "Pooling2D", {{"kernel_size", {2, 2}}}) >> a.add("Drop", "Dropout", {{"drop_prob", 0.3}}) >>
      a.add("Out", "FullyConnected", {{"size", 4}, {"activation", "linear"}}) >> a.add("Criterion", "SoftmaxCE");
  a["Input.targets"] >> a["Criterion.targets"];
  a["Criterion.loss"] >> a.add("Loss", "Loss");
  return a;
}

Batch batch_of(Index examples, int number) {
  HostArray x(DType::F64, {1, examples, 6, 5, 2}), y(DType::F64, {1, examples, 1});
  for (Index i = 0; i < x.elements(); ++i) x.set_value(i, static_cast<double>((i * 7 + number * 3) % 11) / 11 - 0.4);
  for (Index i = 0; i < examples; ++i) y.set_value(i, static_cast<double>((i + number) % 4));
  Batch batch;
  batch.fields = {{"default", x}, {"targets", y.cast(DType::I32)}};
  return batch;
}

// Those that record steps: the device of this run, or its kernels on the host.
std::vector<std::string> recording() {
  if (test::device_under_test().empty()) return {"on_host:f32"};
  return {test::name_under_test("cpu:f32"), test::name_under_test("cpu:f64")};
}

struct Run {
  explicit Run(const std::string& handler, const json& rule = {{"@type", "Adam"}, {"learning_rate", 0.05}})
      : network(convolutional(), catalog(), test::make_by_name(handler), {.seed = 3}),
        stepper(catalog().of<UpdateRule>().make(rule, "stepper", catalog())),
        pass(network.pass(Mode::Train)) {
    network.initialize({{"default", {{"@type", "Gaussian"}, {"std", 0.3}}}}, 7);
    stepper.start(network);
  }
  void step(int number) {
    network.provide(batch_of(number % 5 == 4 ? 3 : 8, number));  // the last batch of an epoch is smaller
    Progress progress;
    progress.update = number;
    stepper.step(pass, progress);
  }
  Network network;
  Stepper stepper;
  PassId pass;
};

}  // namespace

TEST_CASE("Training with recorded steps gives the bits of training without", "[gpu]") {
  for (const std::string& name : recording())
    for (const json& rule : std::vector<json>{{{"@type", "Adam"}, {"learning_rate", 0.05}},
                                              {{"@type", "Nesterov"}, {"learning_rate", 0.05}, {"momentum", 0.9}}}) {
      INFO(name << " " << rule.dump());
      Run recorded(name, rule), plain("debug:" + name, rule);
      for (int i = 0; i < 17; ++i) {
        recorded.step(i);
        plain.step(i);
        REQUIRE(recorded.network.total_loss() == plain.network.total_loss());
        REQUIRE(recorded.network.get("parameters") == plain.network.get("parameters"));
      }
    }
}

TEST_CASE("A loss that is not finite leaves parameters as they were in a recorded step", "[gpu]") {
  for (const std::string& name : recording()) {
    INFO(name);
    Run run(name);
    for (int i = 0; i < 4; ++i) run.step(i);
    const HostArray before = run.network.get("parameters");
    Batch bad = batch_of(8, 4);
    bad.fields[0].second.set_value(0, std::numeric_limits<double>::quiet_NaN());
    run.network.provide(bad);
    CHECK_THROWS_AS(run.stepper.step(run.pass, Progress()), NumericError);
    CHECK(run.network.get("parameters") == before);
    run.step(6);
    CHECK_FALSE(run.network.get("parameters") == before);
  }
}
