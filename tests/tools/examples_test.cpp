// The examples that come with squall can be run.
#include <filesystem>

#include "run_command.hpp"
#include "squall/core/json.hpp"
#include "support/catch.hpp"

using namespace squall;
using namespace squall::testing;

namespace {
std::string example(const char* name) { return std::string(SQUALL_GOLDEN) + "/../../examples/" + name; }

// What a run folder's metrics say about a log: before training and after each epoch.
std::vector<double> logged(const Folder& folder, const std::string& log) {
  std::vector<double> values;
  std::stringstream lines(read_file(folder / "run/metrics.jsonl"));
  for (std::string line; std::getline(lines, line);)
    if (const json j = json::parse(line); j.contains(log)) values.push_back(j[log].get<double>());
  return values;
}
}  // namespace

TEST_CASE("XOR is solved within 300 epochs by its example") {
  const Folder folder;
  const Ran ran = run_squall("train " + example("xor.json") + " --quiet --out " + (folder / "run"));
  INFO(ran.err);
  REQUIRE(ran.code == 0);
  const json report = json::parse(read_file(folder / "run/report.json"));
  CHECK(report["tasks"]["default"]["accuracy"] == 1);
  CHECK(report["tasks"]["default"]["epochs"].get<int>() <= 300);
}

TEST_CASE("the MNIST example is brainstorm's network and training") {
  const json e = json::parse(read_file(example("mnist_mlp.json")));
  std::string chain;
  std::string at = "Input";
  while (at != "Output") {
    const json& layer = e["network"][at];
    chain += at == "Input" ? layer["out_shapes"]["default"].dump() : layer["@type"].get<std::string>();
    for (const char* option : {"drop_prob", "size", "activation"})
      if (layer.contains(option)) chain += " " + layer[option].dump();
    chain += "; ";
    const json& out = layer["@outgoing_connections"];
    at = out.is_array() ? out[0].get<std::string>() : out["default"][0].get<std::string>();
  }
  CHECK(chain ==
        "[\"T\",\"B\",784]; Dropout 0.2; FullyConnected 1200 \"rel\"; Dropout 0.5; FullyConnected 1200 \"rel\"; "
        "Dropout 0.5; FullyConnected 10 \"linear\"; ");
  CHECK(e["network"]["Output"]["@type"] == "SoftmaxCE");
  CHECK(e["initialize"] == json::parse(R"({"default": {"@type": "Gaussian", "std": 0.01}})"));
  CHECK(e["train"]["stepper"] == json::parse(R"({"@type": "Momentum", "learning_rate": 0.1, "momentum": 0.9})"));
  CHECK(e["train"]["batch_size"] == 100);
  CHECK(e["train"]["weight_modifiers"] == json::parse(R"({"FC": {"W": {"@type": "ConstrainL2Norm", "limit": 1.0}}})"));
  CHECK(e["train"]["hooks"][0]["@type"] == "MonitorScores");
  CHECK(e["train"]["hooks"][1] ==
        json::parse(R"({"@type": "SaveBestNetwork", "log_name": "validation.accuracy", "criterion": "max"})"));
  CHECK(e["seed"] == 42);
  const Ran ran = run_squall("train " + example("mnist_mlp.json") + " --dry-run --json");
  INFO(ran.err);
  REQUIRE(ran.code == 0);
  CHECK(json::parse(ran.out)["parameters"] == (784 + 1) * 1200 + (1200 + 1) * 1200 + (1200 + 1) * 10);
}

TEST_CASE("a smaller MNIST example learns drawn digits and keeps its best network") {
  const Folder folder;
  const Ran ran = run_squall(
      "train " + example("mnist_mlp.json") + " --quiet --out " + (folder / "run") +
      R"( --set 'data.mnist={"@type": "Synthetic", "set": "strokes", "examples": 1200, "test_examples": 200, "validation": 0.2, "scale": 255}')" +
      " --set train.max_epochs=8 --set network.Hidden_1.size=100 --set network.Hidden_2.size=100" +
      " --set train.batch_size=20 --set initialize.default.std=0.05");
  INFO(ran.err);
  REQUIRE(ran.code == 0);
  const json report = json::parse(read_file(folder / "run/report.json"));
  CHECK(report["tasks"]["default"]["accuracy"].get<double>() > 0.5);
  const std::vector<double> accuracy = logged(folder, "validation.accuracy");
  REQUIRE(accuracy.size() >= 8);
  CHECK(accuracy.back() > accuracy.front() + 0.3);
  CHECK(std::filesystem::exists(folder / "run/best.h5"));
}

TEST_CASE("the CIFAR-10 example is brainstorm's network") {
  const Ran ran = run_squall("train " + example("cifar10_cnn.json") + " --dry-run --json");
  INFO(ran.err);
  REQUIRE(ran.code == 0);
  // 5x5 filters: 3 to 32, 32 to 32, 32 to 64; 3x3 pixels of 64 to 64 units, 10 classes.
  CHECK(json::parse(ran.out)["parameters"] ==
        (75 + 1) * 32 + (800 + 1) * 32 + (800 + 1) * 64 + (9 * 64 + 1) * 64 + 65 * 10);
}

TEST_CASE("the text example is a network of one LSTM layer on bytes") {
  const Ran ran = run_squall("train " + example("hutter_lstm.json") + " --dry-run --json");
  INFO(ran.err);
  REQUIRE(ran.code == 0);
  CHECK(json::parse(ran.out)["parameters"] == 4 * 128 * (256 + 128) + 3 * 128 + 4 * 128 + (128 + 1) * 256);
}

TEST_CASE("a smaller text example learns what follows") {
  const Folder folder;
  const Ran ran = run_squall("train " + example("hutter_lstm.json") + " --quiet --set data.text.draw=30000" +
                             " --set data.text.length=100 --set data.text.strands=10 --set train.batch_size=10" +
                             " --set train.truncate=20 --set train.max_epochs=1 --set 'network.@spec=L32'" +
                             " --set train.stepper.learning_rate=0.01 --out " + (folder / "run"));
  INFO(ran.err);
  REQUIRE(ran.code == 0);
  const json report = json::parse(read_file(folder / "run/report.json"));
  const double bits = report["tasks"]["default"]["loss"].get<double>() / 100 / 0.6931471805599453;
  CHECK(bits < 4.3);  // 8 at first
  CHECK(report["tasks"]["default"]["accuracy"].get<double>() > 0.15);
}

TEST_CASE("the transformer example is a network of two causal blocks on bytes") {
  const Ran ran = run_squall("train " + example("text_transformer.json") + " --dry-run --json");
  INFO(ran.err);
  REQUIRE(ran.code == 0);
  // A block: four products of 64 by 64, two dense layers of 256, two norms; then a norm and 256 symbols.
  const int block = 4 * (64 + 1) * 64 + (64 + 1) * 256 + (256 + 1) * 64 + 4 * 64;
  CHECK(json::parse(ran.out)["parameters"] == 256 * 64 + 2 * block + 2 * 64 + (64 + 1) * 256);
}

TEST_CASE("a smaller transformer example learns what follows in bits for each symbol") {
  const Folder folder;
  std::string smaller;
  for (const char* block : {"Block_1", "Block_2"})
    for (const char* option : {"d_model=32", "dim_feedforward=64"})
      smaller += std::string(" --set network.") + block + "." + option;
  const Ran ran = run_squall(
      "train " + example("text_transformer.json") + " --quiet --out " + (folder / "run") + smaller +
      " --set network.Embed.embedding_dim=32" + " --set network.Loss.importance=0.04508420002777576" +  // 1 / (32 ln 2)
      " --set data.text.draw=40000 --set data.text.length=32 --set data.text.strands=8" +
      " --set train.batch_size=8 --set train.max_epochs=2 --set train.stepper.learning_rate=0.005");
  INFO(ran.err);
  REQUIRE(ran.code == 0);
  const std::vector<double> bits = logged(folder, "validation.total_loss");
  REQUIRE(bits.size() == 3);
  CHECK(bits[0] > 7.5);
  CHECK(bits[1] < 4.3);
  CHECK(bits[2] < bits[1]);
}

TEST_CASE("the segmentation example is a U of convolutions with two skips") {
  const Ran ran = run_squall("train " + example("segmentation_unet.json") + " --dry-run --json");
  INFO(ran.err);
  REQUIRE(ran.code == 0);
  const auto conv = [](int kernel, int from, int to) { return (kernel * kernel * from + 1) * to; };
  CHECK(json::parse(ran.out)["parameters"] == conv(3, 1, 12) + conv(3, 12, 12) + conv(3, 12, 24) + conv(3, 24, 24) +
                                                  conv(3, 24, 48) + conv(3, 48, 48) + conv(2, 48, 24) +
                                                  conv(3, 48, 24) + conv(2, 24, 12) + conv(3, 24, 12) + conv(1, 12, 4));
}

TEST_CASE("a smaller segmentation example sees shapes in pixels") {
  const Folder folder;
  const Ran ran = run_squall("train " + example("segmentation_unet.json") + " --quiet --out " + (folder / "run") +
                             " --set data.shapes.examples=300 --set data.shapes.test_examples=50" +
                             " --set train.batch_size=10 --set train.max_epochs=4");
  INFO(ran.err);
  REQUIRE(ran.code == 0);
  const std::vector<double> loss = logged(folder, "validation.total_loss");
  REQUIRE(loss.size() == 5);
  CHECK(loss.back() < 0.6 * loss.front());
  // About seven of ten pixels show nothing.
  CHECK(logged(folder, "validation.accuracy").back() > 0.8);
}
