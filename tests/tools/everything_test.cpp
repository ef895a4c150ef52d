// One experiment with every hook, modifier and change of images that brainstorm had, and the commands on what it
// leaves.
#include <filesystem>

#include "run_command.hpp"
#include "squall/core/json.hpp"
#include "squall/io/h5_file.hpp"
#include "support/catch.hpp"

using namespace squall;
using namespace squall::testing;

namespace {

const json kExperiment = json::parse(R"({"network": {
  "Input": {"@type": "Input", "out_shapes": {"default": ["T", "B", 28, 28, 1], "targets": ["T", "B", 1]},
            "@outgoing_connections": {"default": ["C"], "targets": ["Output.targets"]}},
  "C": {"@type": "Convolution2D", "num_filters": 4, "kernel_size": [5, 5], "stride": [2, 2], "activation": "rel", "@outgoing_connections": ["P"]},
  "P": {"@type": "Pooling2D", "type": "max", "kernel_size": [2, 2], "stride": [2, 2], "@outgoing_connections": ["B"]},
  "B": {"@type": "BatchNorm", "@outgoing_connections": ["Proj"]},
  "Proj": {"@type": "FullyConnected", "size": 10, "activation": "linear", "@outgoing_connections": ["Output"]},
  "Output": {"@type": "SoftmaxCE", "@outgoing_connections": {"loss": ["Loss"]}}, "Loss": {"@type": "Loss"}},
"initialize": {"default": {"@type": "DenseSqrtFanInOut", "scale": "rel"}, "fallback": 0},
"data": {"d": {"@type": "Synthetic", "set": "strokes", "examples": 400, "test_examples": 100, "validation": 0.25, "scale": 255, "augment": [
  {"@type": "Pad", "size_dict": {"default": 2}, "value_dict": {"default": 0}},
  {"@type": "RandomCrop", "shape_dict": {"default": [28, 28]}},
  {"@type": "Flip", "prob_dict": {"default": 0.1}},
  {"@type": "AddGaussianNoise", "std_dict": {"default": 0.05}, "mean_dict": {"default": 0.0}},
  {"@type": "AddSaltNPepper", "prob_dict": {"default": 0.05}, "ratio_dict": {"default": 0.3}}]}},
"train": {"stepper": {"@type": "MomentumStepper", "learning_rate": 0.5, "momentum": 0.9}, "batch_size": 20, "max_epochs": 9,
  "weight_modifiers": {"C": {"W": [{"@type": "ConstrainL2Norm", "limit": 2}, {"@type": "ClipValues", "low": -1, "high": 1}]},
                       "Proj": {"bias": [{"@type": "FreezeValues"}, {"@type": "MaskValues", "mask": [1, 1, 1, 1, 1, 1, 1, 1, 1, 0]}]}},
  "gradient_modifiers": {"Proj": [{"@type": "L1Decay", "factor": 0.0001}, {"@type": "L2Decay", "factor": 0.001}]},
  "hooks": [{"@type": "MonitorScores", "scorers": ["Accuracy"]}, {"@type": "MonitorLoss", "name": "again"},
    {"@type": "MonitorLayerParameters", "layer_name": "C", "verbose": false}, {"@type": "MonitorLayerGradients", "layer_name": "C", "verbose": false},
    {"@type": "MonitorLayerDeltas", "layer_name": "P"}, {"@type": "MonitorLayerInOuts", "layer_name": "P"},
    {"@type": "SaveBestNetwork", "log_name": "validation.Accuracy", "criterion": "max"},
    {"@type": "SaveLogs", "filename": "logs.h5"}, {"@type": "SaveNetwork", "filename": "net.h5"},
    {"@type": "EarlyStopper", "log_name": "validation.total_loss", "patience": 4},
    {"@type": "StopAfterEpoch", "max_epochs": 5},
    {"@type": "StopAfterThresholdReached", "log_name": "validation.total_loss", "threshold": 0.0001},
    {"@type": "StopOnNan"}, {"@type": "StopOnSigQuit"}, {"@type": "ProgressBar"}, {"@type": "InfoUpdater"},
    {"@type": "ModifyStepperAttribute", "schedule": {"@type": "Linear", "initial_value": 0.5, "final_value": 0.1, "num_changes": 4}},
    {"@type": "Visualizer", "log_names": ["validation.total_loss", "rolling_training.total_loss"], "filename": "curves.svg"}]},
"seed": 3})");

}  // namespace

TEST_CASE("every hook and modifier and change of images of brainstorm serves one experiment") {
  const Folder folder;
  REQUIRE(kExperiment["train"]["hooks"].size() == 18);
  const std::string file = folder.write("e.json", kExperiment.dump());
  const Ran ran = run_squall("train " + file + " --progress plain --out " + (folder / "run"));
  INFO(ran.err);
  REQUIRE(ran.code == 0);
  CHECK(ran.err.find("StopAfterEpoch stops training after epoch 5") != std::string::npos);
  CHECK(ran.err.find("[====1====2====3====4====5====6====7====8====9====0] 15 updates, took 0:0") != std::string::npos);
  CHECK(ran.err.find("validation.total_loss=") != std::string::npos);
  CHECK(ran.err.find("MonitorInOuts_P.") != std::string::npos);
  for (const char* quiet : {"MonitorParameters_C.", "MonitorGradients_C."})
    CHECK(ran.err.find(quiet) == std::string::npos);  // logged below, but not shown
  for (const char* name : {"best.h5", "net.h5", "model.h5", "info.json", "report.json"})
    CHECK(std::filesystem::exists(folder / (std::string("run/") + name)));
  CHECK(read_file(folder / "run/curves.svg").find("<svg") != std::string::npos);
  CHECK(json::parse(read_file(folder / "run/info.json"))["update"] == 75);
  const H5Reader logs(folder / "run/logs.h5");
  CHECK(logs.read("/validation/accuracy").elements() == 6);
  CHECK(logs.read("/again/total_loss") == logs.read("/validation/total_loss"));
  CHECK(logs.read("/rolling_training/total_loss").elements() == 5);
  const auto largest = logs.read("/MonitorParameters_C/parameters/W/norm_max").doubles();
  CHECK(largest.back() <= 2.0 + 1e-5);
  for (const char* path : {"/MonitorGradients_C/gradients/W/avg", "/MonitorDeltas_P/input_deltas/default/max",
                           "/MonitorInOuts_P/outputs/default/min"})
    CHECK(logs.read(path).elements() >= 5);
  const json report = json::parse(read_file(folder / "run/report.json"));
  CHECK(report["tasks"]["default"]["accuracy"].get<double>() > 0.4);
  const HostArray bias = H5Reader(folder / "run/model.h5").read("/parameters/Proj/bias");
  CHECK(bias.value(9) == 0);  // masked
  CHECK(bias.value(0) != 0);  // frozen as first seen, after the first update
  CHECK(bias == H5Reader(folder / "run/checkpoint.h5").read("/parameters/Proj/bias"));
  CHECK(bias == H5Reader(folder / "run/best.h5").read("/parameters/Proj/bias"));

  const std::string net = folder / "run/model.h5";
  const Ran eval = run_squall("eval " + net + " --json");
  CHECK(json::parse(eval.out)["default"]["accuracy"] == report["tasks"]["default"]["accuracy"]);
  const Ran extracted = run_squall("extract " + net + " --buffers Output.outputs.predictions,P.outputs.default --out " +
                                   (folder / "b.h5"));
  INFO(extracted.err);
  REQUIRE(extracted.code == 0);
  CHECK(H5Reader(folder / "b.h5").shape("/Output.outputs.predictions") == Shape{1, 100, 10});
  CHECK(H5Reader(folder / "b.h5").shape("/P.outputs.default") == Shape{1, 100, 6, 6, 4});
  const Ran drawn = run_squall("draw " + net + " --out " + (folder / "net.dot"));
  CHECK(drawn.code == 0);
  CHECK(read_file(folder / "net.dot").find("->") != std::string::npos);
  const Ran info = run_squall("info " + net);
  CHECK(info.out.find("Convolution2D") != std::string::npos);
}

TEST_CASE("scorers of brainstorm judge one network side by side") {
  const Folder folder;
  const json net = json::parse(R"({"network": {
    "Input": {"@type": "Input", "out_shapes": {"default": ["T", "B", 2], "targets": ["T", "B", 1]},
              "@outgoing_connections": {"default": ["H"], "targets": ["Output.targets"]}},
    "H": {"@type": "FullyConnected", "size": 8, "activation": "tanh", "@outgoing_connections": ["F"]},
    "F": {"@type": "FullyConnected", "size": 1, "activation": "linear", "@outgoing_connections": ["Output"]},
    "Output": {"@type": "SigmoidCE", "@outgoing_connections": {"loss": ["Loss"]}}, "Loss": {"@type": "Loss"}},
    "initialize": {"default": {"@type": "Gaussian", "std": 1.0}},
    "data": {"d": {"@type": "Synthetic", "set": "xor", "examples": 200, "test_examples": 100}},
    "tasks": {"default": {"data": "d", "scorers": ["Accuracy", "Hamming", {"@type": "MeanSquaredError", "name": "mse"}]}},
    "train": {"stepper": {"@type": "Adam", "learning_rate": 0.05}, "batch_size": 10, "max_epochs": 20}, "seed": 1})");
  const Ran ran = run_squall("train " + folder.write("e.json", net.dump()) + " --quiet --out " + (folder / "run"));
  INFO(ran.err);
  REQUIRE(ran.code == 0);
  const json scores = json::parse(read_file(folder / "run/report.json"))["tasks"]["default"];
  CHECK(scores["accuracy"].get<double>() > 0.9);
  CHECK(scores["hamming"] == scores["accuracy"]);  // one decision each
  CHECK(scores["mse"].get<double>() < 0.1);
}
