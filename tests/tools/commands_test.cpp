#include <chrono>

#include "run_command.hpp"
#include "squall/core/describe.hpp"
#include "squall/core/json.hpp"
#include "squall/core/random.hpp"
#include "support/catch.hpp"

using namespace squall;
using namespace squall::testing;

namespace {

json train(const Folder& folder, const std::string& run, const std::string& more = "") {
  const auto file = folder.write("experiment.json", tiny_experiment());
  const Ran ran = run_squall("train " + file + " --quiet --json --out " + (folder / run) + " " + more);
  INFO(ran.err);
  REQUIRE(ran.code == 0);
  return json::parse(ran.out);
}

}  // namespace

TEST_CASE("train fills a run folder and reports both tasks") {
  const Folder folder;
  const json report = train(folder, "run");
  for (const char* name : {"experiment.json", "model.h5", "best.h5", "checkpoint.h5", "metrics.jsonl", "report.json"})
    CHECK(std::filesystem::exists(folder / (std::string("run/") + name)));
  CHECK(report["overlap"] == 0);
  CHECK(report["handler"] == "cpu:f32");
  for (const char* task : {"a", "b"}) {
    CHECK(report["tasks"][task]["accuracy"].get<double>() > 0.4);
    CHECK(report["tasks"][task]["density"].get<double>() < 0.55);
  }
  CHECK(json::parse(read_file(folder / "run/report.json")) == report);
}

TEST_CASE("the run folder's experiment says every default and trains to the same bits") {
  const Folder folder;
  train(folder, "run", "--seed 5");
  const json effective = json::parse(read_file(folder / "run/experiment.json"));
  CHECK(effective["seed"] == 5);
  CHECK(effective["train"]["shuffle"] == true);
  CHECK(effective["train"]["stepper"]["learning_rate"].is_number());
  CHECK(effective["train"]["checkpoint"]["interval"] == 1);
  CHECK(effective["sparsify"]["exclusive"] == true);
  CHECK(effective["tasks"]["a"]["targets"] == "a_targets");
  const Ran again = run_squall("train " + (folder / "run/experiment.json") + " --quiet --out " + (folder / "again"));
  INFO(again.err);
  REQUIRE(again.code == 0);
  CHECK(json::parse(read_file(folder / "again/experiment.json")) == effective);
  // model files remember the experiment as it was given
  CHECK(json::parse(run_squall("eval " + (folder / "again/model.h5") + " --json").out) ==
        json::parse(run_squall("eval " + (folder / "run/model.h5") + " --json").out));
}

TEST_CASE("weights are the same bits for any number of threads") {
  const Folder folder;
  train(folder, "one", "--threads 1");
  train(folder, "two", "--threads 2");
  train(folder, "four", "--threads 4");
  const std::string model = read_file(folder / "one/model.h5");
  CHECK(model == read_file(folder / "two/model.h5"));
  CHECK(model == read_file(folder / "four/model.h5"));
}

// Moments are shares of the time that the whole run takes here, so that a quick machine is killed as often as a slow
// one.
TEST_CASE("training killed at any moment goes on to the same bits") {
  const Folder folder;
  const std::string slow = "--set data.one.examples=3000 --set data.two.examples=3000 --set train.max_epochs=8";
  const auto begin = std::chrono::steady_clock::now();
  train(folder, "whole", slow);
  const std::chrono::duration<double> whole = std::chrono::steady_clock::now() - begin;
  const std::string resume =
      "train " + (folder / "experiment.json") + " --quiet --resume --out " + (folder / "cut") + " " + slow;
  const std::string model = read_file(folder / "whole/model.h5");
  Rng moments(7, "kill");
  int killed = 0, finished = 0;
  for (int round = 0; killed < 20 && round < 200; ++round) {
    const double after = whole.count() * moments.uniform(0.05, 0.95);
    if (run_squall(resume, "timeout -s KILL " + std::to_string(after)).code != 0) {
      ++killed;
      continue;
    }
    ++finished;
    CHECK(model == read_file(folder / "cut/model.h5"));
    std::filesystem::remove_all(folder / "cut");
  }
  CHECK(killed == 20);
  CHECK(finished < 100);
  train(folder, "cut", slow + " --resume");
  CHECK(model == read_file(folder / "cut/model.h5"));
}

TEST_CASE("SIGTERM saves a checkpoint and exits with 75") {
  const Folder folder;
  const auto file = folder.write("experiment.json", tiny_experiment());
  const std::string slow = " --set data.one.examples=20000 --set train.max_epochs=200 --set train.hooks=[]";
  const Ran ran = run_squall("train " + file + " --quiet --out " + (folder / "run") + slow, "timeout -s TERM 1.5");
  CHECK((ran.code == 75 || ran.code == 124));  // timeout reports its own code
  CHECK(std::filesystem::exists(folder / "run/checkpoint.h5"));
}

TEST_CASE("conversion keeps the answers, and one task can be taken out") {
  const Folder folder;
  train(folder, "run");
  const auto model = folder / "run/model.h5";
  const auto packed = folder / "packed.h5";
  const Ran converted = run_squall("convert " + model + " --to sparse --batches 1,8 --json --out " + packed);
  INFO(converted.err);
  REQUIRE(converted.code == 0);
  CHECK(json::parse(converted.out)["max_difference"].get<double>() < 1e-5);
  const json before = json::parse(run_squall("eval " + model + " --json").out);
  const json after = json::parse(run_squall("eval " + packed + " --json").out);
  for (const char* task : {"a", "b"}) CHECK(before[task]["accuracy"] == after[task]["accuracy"]);
  REQUIRE(run_squall("convert " + model + " --task b --to sparse --out " + (folder / "b.h5")).code == 0);
  const json alone = json::parse(run_squall("eval " + (folder / "b.h5") + " --json").out);
  CHECK(alone.size() == 1);
  CHECK(alone["b"]["accuracy"] == before["b"]["accuracy"]);
  for (const char* form : {"dense", "masked"}) {
    REQUIRE(run_squall("convert " + packed + " --to " + form + " --out " + (folder / "back.h5")).code == 0);
    CHECK(json::parse(run_squall("eval " + (folder / "back.h5") + " --json").out)["a"]["loss"].get<double>() ==
          Approx(before["a"]["loss"].get<double>()).epsilon(1e-5));
  }
}

TEST_CASE("training one task leaves the other's predictions bit for bit") {
  const Folder folder;
  train(folder, "run");
  REQUIRE(run_squall("data make spirals --examples 5 --test 200 --out " + (folder / "data.h5")).code == 0);
  const auto predict = [&](const std::string& model, const std::string& out) {
    return run_squall("predict " + model + " --task a --input " + (folder / "data.h5") + " --output " + (folder / out))
        .code;
  };
  REQUIRE(predict(folder / "run/model.h5", "before.npy") == 0);
  train(folder, "later",
        "--set sparsify=null --set init_from=" + (folder / "run/model.h5") + " --set train.tasks='[\"b\"]'");
  REQUIRE(predict(folder / "later/model.h5", "after.npy") == 0);
  CHECK(read_file(folder / "before.npy") == read_file(folder / "after.npy"));
  const json then = json::parse(run_squall("eval " + (folder / "run/model.h5") + " --json").out);
  const json now = json::parse(run_squall("eval " + (folder / "later/model.h5") + " --json").out);
  CHECK(then["b"]["loss"] != now["b"]["loss"]);
}

TEST_CASE("sequential masks: a second task never changes the first") {
  const Folder folder;
  const json report = train(folder, "run", "--set sparsify.mode=sequential --set train.max_epochs=4");
  CHECK(report["overlap"] == 0);
  CHECK(report["tasks"]["a"]["epochs"].get<int>() > 0);
}

TEST_CASE("the other commands answer") {
  const Folder folder;
  train(folder, "run");
  const auto model = folder / "run/model.h5";
  const auto experiment = folder / "experiment.json";
  CHECK(run_squall("info").out.find("cpu:f32") != std::string::npos);
  CHECK(run_squall("info " + model).out.find("owned twice") != std::string::npos);
  CHECK(run_squall("describe MultiMaskedDense").out.find("units") != std::string::npos);
  CHECK(run_squall("draw " + model).out.find("<svg") == 0);
  CHECK(run_squall("draw " + experiment + " --out " + (folder / "net.dot")).code == 0);
  CHECK(json::parse(run_squall("layout " + experiment + " --json").out)["arena_bytes"].get<Index>() > 0);
  CHECK(json::parse(run_squall("gradcheck " + experiment + " --json").out)["passed"] == true);
  CHECK(run_squall("train " + experiment + " --dry-run").out.find("parameters") != std::string::npos);
  CHECK(run_squall("data list").out.find("spirals") != std::string::npos);
  CHECK(run_squall("data inspect Synthetic").out.find("classes") != std::string::npos);
  CHECK(run_squall("sparsify " + model + " --sparsity 50 --out " + (folder / "s.h5")).code <= 1);
}
