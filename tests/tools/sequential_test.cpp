// Tasks that come later, ladders and experiments that extend others, as a user runs them.
#include <csignal>

#include "run_command.hpp"
#include "squall/core/json.hpp"
#include "support/catch.hpp"

using namespace squall;
using namespace squall::testing;

namespace {

bool says(const Ran& ran, const std::string& text) { return ran.err.find(text) != std::string::npos; }

// tiny_experiment() with a third task.
json with_third_task() {
  json e = json::parse(tiny_experiment());
  json& net = e["network"];
  net["Input"]["out_shapes"]["c"] = {"T", "B_c", 2};
  net["Input"]["out_shapes"]["c_targets"] = {"T", "B_c", 1};
  net["Input"]["@outgoing_connections"]["c"] = {"hidden.c"};
  net["Input"]["@outgoing_connections"]["c_targets"] = {"c_ce.targets"};
  for (const char* layer : {"hidden", "head"}) net[layer]["tasks"] = {"a", "b", "c"};
  net["hidden"]["@outgoing_connections"]["c"] = {"head.c"};
  net["head"]["@outgoing_connections"]["c"] = {"c_ce"};
  net["c_ce"] = {{"@type", "SoftmaxCE"}, {"@outgoing_connections", {{"loss", {"c_loss"}}}}};
  net["c_loss"] = {{"@type", "Loss"}};
  e["data"]["three"] = {{"@type", "Synthetic"}, {"set", "xor"}, {"examples", 200}, {"validation", 0.2}};
  e["tasks"]["c"] = {{"data", "three"}, {"loss", "c_loss"}};
  return e;
}

json dense_ladder() {
  json e = with_third_task();
  e.erase("sparsify");
  e["train"] = {{"stepper", {{"@type", "Adam"}, {"learning_rate", 0.01}}},
                {"batch_size", 16},
                {"max_epochs", 3},
                {"iterative", {{"pruning_rate", 20}, {"delta", 0.3}, {"patience", 1}, {"quota", "tensor"}}}};
  return e;
}

// Two trained tasks, and the experiment that adds a third.
struct Grown {
  Folder folder;
  std::string two, three, points;
  Grown() {
    json e = json::parse(tiny_experiment());
    e["sparsify"] = {{"@type", "Rsn2"}, {"sparsity", 70}, {"quota", "tensor"}};
    two = folder.write("two.json", e.dump());
    const Ran ran = run_squall("train " + two + " --quiet --out " + (folder / "two"));
    INFO(ran.err);
    REQUIRE(ran.code == 0);
    json grown = with_third_task();
    grown["init_from"] = "two/model.h5";
    grown["sparsify"] = {
        {"@type", "Rsn2"}, {"sparsity", 70}, {"quota", "tensor"}, {"mode", "sequential"}, {"order", {"c"}}};
    three = folder.write("three.json", grown.dump());
    points = folder / "points.h5";
    REQUIRE(run_squall("data make spirals --examples 5 --test 200 --out " + points).code == 0);
  }
  std::string predictions(const std::string& run, const std::string& task) const {
    const std::string out = folder / (run + "_" + task + ".npy");
    const Ran ran = run_squall("predict " + (folder / run) + "/model.h5 --task " + task + " --input " + points +
                               " --output " + out);
    INFO(ran.err);
    REQUIRE(ran.code == 0);
    return read_file(out);
  }
  json train(const std::string& run, const std::string& more) const {
    const Ran ran = run_squall("train " + three + " --quiet --json --out " + (folder / run) + " " + more);
    INFO(ran.err);
    REQUIRE(ran.code == 0);
    return json::parse(ran.out);
  }
};

}  // namespace

TEST_CASE("a task added to a finished model leaves the others' predictions bit for bit") {
  const Grown g;
  for (const std::string eligible : {"free", "shared_reading"}) {
    CAPTURE(eligible);
    const json report = g.train(eligible, "--set sparsify.eligible=" + eligible);
    CHECK(report["overlap"] == 0);
    CHECK(report["tasks"]["c"]["epochs"].get<int>() > 0);
    CHECK(report["tasks"]["a"]["epochs"] == 0);
    for (const std::string task : {"a", "b"}) CHECK(g.predictions(eligible, task) == g.predictions("two", task));
    const double density = report["tasks"]["c"]["density"].get<double>();
    if (eligible == "free") CHECK(density == Approx(0.3).margin(0.08));
    if (eligible == "shared_reading") CHECK(density > 0.6);
  }
}

TEST_CASE("what stands in the way of another task is told in one line") {
  const Grown g;
  const auto refused = [&](const std::string& more, const std::string& text) {
    const Ran ran = run_squall("train " + g.three + " --quiet --out " + (g.folder / "x") + " " + more);
    INFO(more << ": " << ran.err);
    CHECK(ran.code == 1);
    CHECK(says(ran, text));
  };
  refused("--set sparsify.sparsity=40", "of which earlier tasks own");
  refused("--set sparsify.sparsity=140", "0 to 100, not 140");
  refused("--set sparsify.sparsity=-1", "0 to 100, not -1");
  refused("--set 'sparsify.order=[\"d\"]'", "there is no task 'd'");
  refused("--set tasks.c.data=four", "there is no data set 'four'");
  refused("--set data.three.examples=0", "'examples' should be at least 1");
  refused("--set tasks.c.loss=b_loss", "does not depend on Input.c, which the task feeds");
  refused("--set 'network.hidden.tasks=[\"b\",\"c\",\"d\"]'", "is not connected");
  refused("--set network.hidden.units=33 --set network.head.units=4", "only the number of tasks may differ");
  refused("--set initialize=null", "say under 'initialize'");
}

TEST_CASE("converting twice is refused with a remedy") {
  const Grown g;
  const std::string model = g.folder / "two/model.h5", packed = g.folder / "p.h5";
  REQUIRE(run_squall("convert " + model + " --batches 1 --quiet --out " + packed).code == 0);
  const Ran twice = run_squall("convert " + packed + " --batches 1 --out " + (g.folder / "q.h5"));
  CHECK(twice.code == 1);
  CHECK(says(twice, "already in sparse form; convert it --to dense or masked first"));
  const Ran masked = run_squall("sparsify " + packed + " --out " + (g.folder / "r.h5"));
  CHECK(masked.code == 1);
  CHECK(says(masked, "convert the model to masked form first"));
}

TEST_CASE("a stage prunes task after task as far as each allows") {
  const Folder folder;
  const std::string file = folder.write("ladder.json", dense_ladder().dump());
  const Ran ran = run_squall("train " + file + " --quiet --json --out " + (folder / "run"));
  INFO(ran.err);
  REQUIRE(ran.code == 0);
  const json report = json::parse(ran.out);
  CHECK(report["overlap"] == 0);
  REQUIRE(report["iterative"].size() == 3);
  double free = 1;
  for (const json& one : report["iterative"]) {
    const json& task = report["tasks"][one["task"].get<std::string>()];
    CHECK(task["density"].get<double>() == Approx(one["density"].get<double>()).margin(1e-6));
    CHECK(task["epochs"] == one["epochs"]);
    CHECK(one["free"].get<double>() < free);
    free = one["free"].get<double>();
    CHECK(!one["rungs"].empty());
  }
  std::size_t lines = 0, epochs = 0;
  std::stringstream metrics(read_file(folder / "run/metrics.jsonl"));
  for (std::string line; std::getline(metrics, line); ++lines) CHECK(json::parse(line).size() == 7);
  for (const json& one : report["iterative"]) epochs += one["epochs"].get<std::size_t>();
  CHECK(lines == epochs);
  const json effective = json::parse(read_file(folder / "run/experiment.json"));
  CHECK(effective["train"]["iterative"]["max_pruning"] == 99);
}

TEST_CASE("a ladder that was stopped goes on to the same bits") {
  const Folder folder;
  json e = dense_ladder();
  e["train"]["max_epochs"] = 30;
  const std::string file = folder.write("ladder.json", e.dump());
  REQUIRE(run_squall("train " + file + " --quiet --out " + (folder / "whole")).code == 0);
  int code = 75;
  for (int tries = 0; code == 75 && tries < 60; ++tries)
    code = run_squall("train " + file + " --quiet --resume --out " + (folder / "parts"),
                      "timeout --preserve-status -s TERM " + std::to_string(0.2 + 0.2 * tries))
               .code;
  REQUIRE(code == 0);
  CHECK(read_file(folder / "parts/model.h5") == read_file(folder / "whole/model.h5"));
  CHECK(json::parse(read_file(folder / "parts/report.json"))["iterative"] ==
        json::parse(read_file(folder / "whole/report.json"))["iterative"]);
}

TEST_CASE("a ladder that cannot be is refused with its place") {
  const Folder folder;
  const std::string file = folder.write("ladder.json", dense_ladder().dump());
  const auto refused = [&](const std::string& more, const std::string& text) {
    const Ran ran = run_squall("train " + file + " --quiet --out " + (folder / "x") + " " + more);
    INFO(more << ": " << ran.err);
    CHECK(ran.code == 1);
    CHECK(says(ran, text));
  };
  refused("--set train.iterative.starting_pruning=101", "train.iterative.starting_pruning: should be a percentage");
  refused("--set 'train.iterative.pruning_rate=[1,2]'", "one for each of 3 tasks, not 2");
  refused("--set train.iterative.pruning_rate=0", "should be above 0");
  refused("--set train.iterative.patience=0", "train.iterative.patience: should be at least 1");
  refused("--set train.iterative.score=luck", "train.iterative.score");
  refused("--set train.iterative.compat=keras", "should be \"beyondml\" or left out");
  refused("--set train.max_epochs=0", "train.max_epochs: should be at least 1");
  refused("--set sparsify.@type=Rsn2", "leave sparsify out");
  refused("--set 'train.hooks=[{\"@type\":\"MonitorScores\"}]'", "runs no hooks");
  refused("--set data.three.validation=0", "task 'c' has no validation data");
}

TEST_CASE("an experiment can be another one with changes") {
  const Folder folder;
  folder.write("base.json", tiny_experiment());
  const std::string file = folder.write("changed.json", R"({"extends": "base.json", "seed": 9,
    "data": {"two": {"@type": "Synthetic", "set": "xor", "examples": 100, "validation": 0.5}},
    "sparsify": null, "train": {"max_epochs": 1, "hooks": []}})");
  const std::string twice = folder.write("twice.json", R"({"extends": "changed.json", "train": {"batch_size": 5}})");
  const Ran ran = run_squall("train " + twice + " --quiet --out " + (folder / "run"));
  INFO(ran.err);
  REQUIRE(ran.code == 0);
  const json e = json::parse(read_file(folder / "run/experiment.json"));
  CHECK_FALSE(e.contains("extends"));
  CHECK_FALSE(e.contains("sparsify"));
  CHECK(e["seed"] == 9);
  CHECK(e["train"]["batch_size"] == 5);
  CHECK(e["train"]["max_epochs"] == 1);
  CHECK(e["train"]["stepper"]["learning_rate"] == 0.01);
  CHECK(e["data"]["two"]["set"] == "xor");
  CHECK(e["data"]["one"]["set"] == "spirals");
  folder.write("loop.json", R"({"extends": "loop2.json"})");
  const Ran loop = run_squall("train " + folder.write("loop2.json", R"({"extends": "loop.json"})"));
  CHECK(loop.code == 1);
  CHECK(says(loop, "extends itself"));
  CHECK(run_squall("train " + folder.write("lost.json", R"({"extends": "nowhere.json"})")).code == 1);
}

TEST_CASE("one line makes a network of several tasks") {
  const Folder folder;
  const std::string file = folder.write("spec.json", R"({
    "network": {"@spec": "C4:3p1 P2s2 D.1 F8", "in_shape": [28, 28, 1], "out_shape": 10, "tasks": ["x", "y"]},
    "data": {"x": {"@type": "Synthetic", "set": "strokes", "examples": 60, "scale": 255, "validation": 0.2},
             "y": {"@type": "Synthetic", "set": "strokes", "examples": 60, "scale": 255, "validation": 0.2, "permute": 3}},
    "tasks": {"x": {}, "y": {}}, "sparsify": {"@type": "Rsn2", "sparsity": 60, "shortfall": "warn"},
    "train": {"stepper": {"@type": "Adam"}, "batch_size": 20, "max_epochs": 1}, "seed": 1})");
  const Ran ran = run_squall("train " + file + " --quiet --json --out " + (folder / "run"));
  INFO(ran.err);
  REQUIRE(ran.code == 0);
  CHECK(json::parse(ran.out)["overlap"] == 0);
  const json net = json::parse(read_file(folder / "run/experiment.json"))["network"];
  CHECK(net["Convolution2D"]["@type"] == "MultiMaskedConv2D");
  CHECK(net["Pooling2D"]["@type"] == "MultiMaxPool2D");
  CHECK(net["x_Dropout"]["@type"] == "Dropout");
  CHECK(net["FullyConnected"]["units"] == 8);
  CHECK(net["Output_projection"]["tasks"] == json({"x", "y"}));
  CHECK(net["Input"]["out_shapes"]["y"] == json({"T", "B_y", 28, 28, 1}));
  const Ran wrong = run_squall("train " + file + " --set 'network.tasks=[\"x\",\"x\"]'");
  CHECK(wrong.code == 1);
  CHECK(says(wrong, "task 'x' is named twice"));
}

TEST_CASE("tasks of one data set are scored together") {
  const Folder folder;
  json e = json::parse(tiny_experiment());
  e["tasks"]["b"]["data"] = "one";
  const std::string file = folder.write("members.json", e.dump());
  const json report = json::parse(run_squall("train " + file + " --quiet --json --out " + (folder / "run")).out);
  REQUIRE(report.contains("aggregate"));
  CHECK(report["aggregate"]["members"] == 2);
  const double together = report["aggregate"]["accuracy"].get<double>();
  CHECK(together >=
        std::min(report["tasks"]["a"]["accuracy"].get<double>(), report["tasks"]["b"]["accuracy"].get<double>()) -
            0.05);
  json apart = json::parse(tiny_experiment());
  const Ran other =
      run_squall("train " + folder.write("apart.json", apart.dump()) + " --quiet --json --out " + (folder / "apart"));
  CHECK_FALSE(json::parse(other.out).contains("aggregate"));
}
