// Experiments without targets, as docs/generative.md has them.
#include "run_command.hpp"
#include "squall/core/json.hpp"
#include "support/catch.hpp"

using namespace squall;
using namespace squall::testing;

namespace {

// What a log says before training and after the last epoch.
std::pair<double, double> first_and_last(const Folder& folder, const json& network, const std::string& loss,
                                         const std::string& log) {
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
  const Ran ran = run_squall("train " + folder.write("e.json", e.dump()) + " --quiet --out " + (folder / "run"));
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
  const json network = json::parse(R"({
    "Input": {"@outgoing_connections": {"default": ["RBM", "Error.targets"]}},
    "RBM": {"@type": "RBM", "size": 40, "reconstruction_steps": 1,
            "@outgoing_connections": {"loss": ["Loss"], "reconstruction": ["Error"]}},
    "Error": {"@type": "SquaredError", "@outgoing_connections": {"loss": ["Reconstruction"]}},
    "Reconstruction": {"@type": "Loss"}, "Loss": {"@type": "Loss"}})");
  const auto [before, after] = first_and_last(folder, network, "Loss", "validation.Reconstruction");
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
