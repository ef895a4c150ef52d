// The examples that come with squall can be run.
#include <filesystem>

#include "run_command.hpp"
#include "squall/core/json.hpp"
#include "support/catch.hpp"

using namespace squall;
using namespace squall::testing;

namespace {
std::string example(const char* name) { return std::string(SQUALL_GOLDEN) + "/../../examples/" + name; }
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
