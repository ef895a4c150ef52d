// Experiments without targets, as docs/generative.md has them.
#include "run_command.hpp"
#include "squall/core/json.hpp"
#include "squall/io/npy.hpp"
#include "support/catch.hpp"

using namespace squall;
using namespace squall::testing;

namespace {

const char* const kMachine = R"({
    "Input": {"@outgoing_connections": {"default": ["RBM", "Error.targets"]}},
    "RBM": {"@type": "RBM", "size": 40, "reconstruction_steps": 1,
            "@outgoing_connections": {"loss": ["Loss"], "reconstruction": ["Error"]}},
    "Error": {"@type": "SquaredError", "@outgoing_connections": {"loss": ["Reconstruction"]}},
    "Reconstruction": {"@type": "Loss"}, "Loss": {"@type": "Loss"}})";

json experiment(const json& network, const std::string& loss) {
  json e{{"network", network},
         {"initialize", {{"default", {{"@type", "GlorotUniform"}}}, {"*", {{"*bias*", 0}}}}},
         {"data",
          {{"digits",
            {{"@type", "Synthetic"},
             {"set", "strokes"},
             {"examples", 600},
             {"test_examples", 50},
             {"validation", 0.2},
             {"scale", 255}}}}},
         {"tasks", {{"default", {{"data", "digits"}, {"loss", loss}, {"scorers", json::array()}}}}},
         {"train",
          {{"stepper", {{"@type", "Adam"}, {"learning_rate", 0.002}}},
           {"batch_size", 20},
           {"max_epochs", 4},
           {"hooks", {{{"@type", "MonitorScores"}}}}}},
         {"seed", 3}};
  e["network"]["Input"]["@type"] = "Input";
  e["network"]["Input"]["out_shapes"] = {{"default", {"T", "B", 28, 28, 1}}};
  return e;
}

// What a log says before training and after the last epoch.
std::pair<double, double> first_and_last(const Folder& folder, const json& network, const std::string& loss,
                                         const std::string& log) {
  const std::string file = folder.write("e.json", experiment(network, loss).dump());
  const Ran ran = run_squall("train " + file + " --quiet --out " + (folder / "run"));
  INFO(ran.err);
  REQUIRE(ran.code == 0);
  std::vector<double> values;
  std::stringstream lines(read_file(folder / "run/metrics.jsonl"));
  for (std::string line; std::getline(lines, line);)
    if (const json j = json::parse(line); j.contains(log)) values.push_back(j[log].get<double>());
  REQUIRE(values.size() == 5);
  return {values.front(), values.back()};
}

}  // namespace

TEST_CASE("an experiment trains a Boltzmann machine and tells how well it reconstructs") {
  const Folder folder;
  const auto [before, after] = first_and_last(folder, json::parse(kMachine), "Loss", "validation.Reconstruction");
  CHECK(after < 0.5 * before);
}

TEST_CASE("an experiment trains a variational autoencoder") {
  const Folder folder;
  const json network = json::parse(R"({
    "Input": {"@outgoing_connections": {"default": ["Encoder", "Error.targets"]}},
    "Encoder": {"@type": "Dense", "units": 64, "activation": "rel", "@outgoing_connections": ["Mean", "Spread"]},
    "Mean": {"@type": "Dense", "units": 8, "@outgoing_connections": ["Sample.mean", "Divergence.mean"]},
    "Spread": {"@type": "Dense", "units": 8, "@outgoing_connections": ["Sample.log_variance", "Divergence.log_variance"]},
    "Sample": {"@type": "GaussianSample", "@outgoing_connections": ["Hidden"]},
    "Hidden": {"@type": "Dense", "units": 64, "activation": "rel", "@outgoing_connections": ["Decoder"]},
    "Decoder": {"@type": "FullyConnected", "size": [28, 28, 1], "activation": "sigmoid", "@outgoing_connections": ["Error"]},
    "Error": {"@type": "Bce", "reduction": "none", "@outgoing_connections": {"loss": ["Reconstruction"]}},
    "Reconstruction": {"@type": "Loss"},
    "Divergence": {"@type": "GaussianDivergence", "@outgoing_connections": {"loss": ["KL"]}},
    "KL": {"@type": "Loss"}})");
  const auto [before, after] = first_and_last(folder, network, "Reconstruction", "validation.total_loss");
  CHECK(after < 0.6 * before);
}

TEST_CASE("a task without targets has no accuracy and predicts what its experiment names") {
  const Folder folder;
  const std::string file = folder.write("e.json", experiment(json::parse(kMachine), "Loss").dump());
  const std::string train = "train " + file + " --out " + (folder / "run") + " --set train.max_epochs=1";
  const Ran ran = run_squall(train);
  INFO(ran.err);
  REQUIRE(ran.code == 0);
  std::stringstream row(ran.out.substr(ran.out.find("default")));
  std::string task, accuracy, loss;
  row >> task >> accuracy >> loss;
  CHECK(accuracy == "-");
  CHECK(std::stod(loss) < 0);
  const std::string images = folder / "images.npy";
  write_npy(images, HostArray(DType::F32, Shape{3, 28, 28, 1}));
  const std::string predict = "predict " + (folder / "run/model.h5") + " --input " + images + " --output ";
  const Ran nothing = run_squall(predict + (folder / "y.npy"));
  CHECK(nothing.code != 0);
  CHECK_THAT(nothing.err, Catch::Contains("task 'default' has no predictions") && Catch::Contains("'output'"));
  REQUIRE(run_squall(train + " --set tasks.default.output=RBM.default").code == 0);
  const Ran hidden = run_squall(predict + (folder / "y.npy"));
  INFO(hidden.err);
  REQUIRE(hidden.code == 0);
  CHECK(read_npy(folder / "y.npy").shape() == Shape{3, 40});
}

TEST_CASE("a task without targets is told how to do without scorers") {
  const Folder folder;
  json e = experiment(json::parse(kMachine), "Loss");
  e["tasks"]["default"].erase("scorers");
  const Ran ran = run_squall("train " + folder.write("e.json", e.dump()) + " --out " + (folder / "run"));
  CHECK(ran.code != 0);
  CHECK_THAT(ran.err, Catch::Contains("its targets 'targets' is no output of Input; outputs are: default; a task "
                                      "without targets has 'scorers' []"));
}
