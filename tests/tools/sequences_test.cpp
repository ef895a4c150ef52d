// Training on sequences as a user asks for it: pieces of time, hooks that write into the run folder, saving and going
// on.
#include "run_command.hpp"
#include "squall/core/json.hpp"
#include "squall/core/random.hpp"
#include "squall/io/atomic_file.hpp"
#include "squall/io/h5_file.hpp"
#include "squall/io/npy.hpp"
#include "support/catch.hpp"

using namespace squall;
using namespace squall::testing;

namespace {

// 40 sequences of 9 steps: the target is whether the last three numbers were more often positive.
void write_data(const std::string& path) {
  H5Writer file;
  for (const std::string split : {"training", "validation", "test"}) {
    constexpr Index kSteps = 9, kExamples = 40;
    Rng rng(1, split);
    HostArray x(DType::F32, {kSteps, kExamples, 1}), y(DType::I32, {kSteps, kExamples, 1});
    for (Index n = 0; n < kExamples; ++n) {
      int signs = 0;
      for (Index t = 0; t < kSteps; ++t) {
        const Index i = t * kExamples + n;
        x.set_value(i, rng.normal());
        signs = ((signs << 1) | (x.value(i) > 0 ? 1 : 0)) & 7;
        y.set_value(i, signs == 3 || signs >= 5 ? 1 : 0);
      }
    }
    file.write("/normalized_split/" + split + "/default", x);
    file.write("/normalized_split/" + split + "/targets", y);
  }
  write_file_atomically(path, file.finish());
}

json experiment(const Folder& folder, Index truncate) {
  write_data(folder / "signs.h5");
  json j = json::parse(R"({"network": {
    "Input": {"@type": "Input", "out_shapes": {"default": ["T", "B", 1], "targets": ["T", "B", 1]},
      "@outgoing_connections": {"default": ["Memory"], "targets": ["CE.targets"]}},
    "Memory": {"@type": "Lstm", "size": 8, "@outgoing_connections": ["Out"]},
    "Out": {"@type": "FullyConnected", "size": 2, "activation": "linear", "@outgoing_connections": ["CE"]},
    "CE": {"@type": "SoftmaxCE", "@outgoing_connections": {"loss": ["Loss"]}}, "Loss": {"@type": "Loss"}},
  "initialize": {"default": {"@type": "Gaussian", "std": 0.3}},
  "train": {"stepper": {"@type": "RmsProp", "learning_rate": 0.01, "groups": {"Out": {"learning_rate": 0.02}}},
    "batch_size": 10, "max_epochs": 12, "gradient_modifiers": {"@type": "ClipGradientNorm", "max_norm": 5},
    "hooks": [{"@type": "MonitorScores"}, {"@type": "SaveLogs", "filename": "logs.h5"}, {"@type": "InfoUpdater"},
      {"@type": "Visualizer", "log_names": "validation.total_loss"},
      {"@type": "MonitorLayerInOuts", "layer_name": "Memory"}]},
  "seed": 3})");
  j["data"]["signs"] = {{"@type", "Hdf5"}, {"path", folder / "signs.h5"}};
  j["train"]["truncate"] = truncate;
  return j;
}

Ran train(const Folder& folder, const std::string& run, Index truncate, const std::string& more = "") {
  const auto file = folder.write("experiment.json", experiment(folder, truncate).dump());
  return run_squall("train " + file + " --quiet --json --out " + (folder / run) + " " + more);
}

}  // namespace

TEST_CASE("train.truncate makes an update of each piece of the sequences and learns them") {
  const Folder folder;
  const Ran ran = train(folder, "run", 4);
  INFO(ran.err);
  REQUIRE(ran.code == 0);
  const json info = json::parse(read_file(folder / "run/info.json"));
  CHECK(info["epoch"] == 12);
  CHECK(info["update"] == 12 * 4 * 3);  // 4 batches an epoch; pieces of 4, 4 and 1 steps
  const H5Reader logs(folder / "run/logs.h5");
  const auto loss = logs.read("/validation/total_loss").doubles();
  REQUIRE(loss.size() == 13);
  CHECK(loss.back() < 0.8 * loss.front());
  const auto rolling = logs.read("/rolling_training/total_loss").doubles();
  CHECK(rolling.back() == Approx(loss.back()).epsilon(0.5));  // of whole sequences, like the other
  CHECK(logs.exists("/MonitorInOuts_Memory/outputs/default/max"));
  CHECK(read_file(folder / "run/logs.svg").find("validation.total_loss") != std::string::npos);
}

TEST_CASE("truncated training that is killed goes on to the same bits") {
  const Folder folder;
  REQUIRE(train(folder, "straight", 4).code == 0);
  const auto file = folder / "experiment.json";
  run_squall("train " + file + " --quiet --out " + (folder / "broken"), "timeout -s TERM 0.2");
  const Ran rest = run_squall("train " + file + " --quiet --resume --out " + (folder / "broken"));
  INFO(rest.err);
  REQUIRE(rest.code == 0);
  const H5Reader straight(folder / "straight/logs.h5"), broken(folder / "broken/logs.h5");
  for (const char* log : {"/validation/total_loss", "/rolling_training/total_loss"})
    CHECK(straight.read(log) == broken.read(log));
}

TEST_CASE("a truncation that cannot be is told") {
  const Folder folder;
  const Ran ran = train(folder, "run", -2);
  CHECK(ran.code == 1);
  CHECK(ran.err.find("train.truncate") != std::string::npos);
}

TEST_CASE("predict takes sequences and refuses examples without time for recurrent networks") {
  const Folder folder;
  REQUIRE(train(folder, "run", 0, "--set train.max_epochs=1").code == 0);
  const std::string model = folder / "run/model.h5";
  const auto predict = [&](const std::string& input, const std::string& output) {
    return run_squall("predict " + model + " --input " + (folder / input) + " --output " + (folder / output));
  };
  REQUIRE(run_squall("extract " + model + " --split validation --buffers Out.outputs.default,Input.outputs.default" +
                     " --out " + (folder / "b.h5"))
              .code == 0);
  const H5Reader buffers(folder / "b.h5");
  const HostArray x = buffers.read("/Input.outputs.default"), expected = buffers.read("/Out.outputs.default");
  write_npy(folder / "x.npy", x);
  const Ran ran = predict("x.npy", "y.npy");
  INFO(ran.err);
  REQUIRE(ran.code == 0);
  const HostArray y = read_npy(folder / "y.npy");
  REQUIRE(y.shape().until(2) == x.shape().until(2));
  REQUIRE(x.shape()[0] > 1);
  // The task's output is what its loss sees: probabilities of Out.
  for (Index i = 0; i < y.elements(); i += 2) {
    const double odds = std::exp(expected.value(i) - expected.value(i + 1));
    CHECK(y.value(i) == Approx(odds / (1 + odds)).margin(1e-5));
  }

  write_npy(folder / "flat.npy", x.reshaped(Shape{x.elements(), 1}));
  const Ran flat = predict("flat.npy", "z.npy");
  CHECK(flat.code == 1);
  CHECK(flat.err.find("(T, N, ...)") != std::string::npos);
  CHECK(flat.err.find("recurrent") != std::string::npos);
}

TEST_CASE("predict refuses an output whose form is not known") {
  const Folder folder;
  REQUIRE(train(folder, "run", 0, "--set train.max_epochs=1").code == 0);
  const Ran ran = run_squall("predict " + (folder / "run/model.h5") + " --input " + (folder / "signs.h5") +
                             " --output " + (folder / "y.txt"));
  CHECK(ran.code == 1);
  CHECK(ran.err.find(".npy") != std::string::npos);
  CHECK(std::count(ran.err.begin(), ran.err.end(), '\n') == 1);
  CHECK(!std::filesystem::exists(folder / "y.txt"));
}
