// What a user is told when an experiment cannot run, and what is left behind then.
#include <algorithm>

#include "run_command.hpp"
#include "squall/core/json.hpp"
#include "support/catch.hpp"

using namespace squall;
using namespace squall::testing;

namespace {

// tiny_experiment with values set by JSON pointer.
std::string with(std::initializer_list<std::pair<const char*, json>> changes) {
  json e = json::parse(tiny_experiment());
  for (const auto& change : changes) e[json::json_pointer(change.first)] = change.second;
  return e.dump();
}

Ran train(const Folder& folder, const std::string& text, const std::string& more = "") {
  return run_squall("train " + folder.write("e.json", text) + " --quiet --out " + (folder / "run") + " " + more);
}

bool exists(const Folder& folder, const std::string& name) { return std::filesystem::exists(folder / name); }

// Exit code 1, all of these words, and no more lines than that.
void fails(const Ran& ran, std::initializer_list<const char*> words, long lines = 1) {
  INFO(ran.err);
  CHECK(ran.code == 1);
  CHECK(ran.out.empty());
  CHECK(ran.err.starts_with("squall: "));
  CHECK(std::count(ran.err.begin(), ran.err.end(), '\n') == lines);
  for (const char* word : words) CHECK_THAT(ran.err, Catch::Contains(word));
}

}  // namespace

TEST_CASE("shapes that differ only in the name of a size are told apart") {
  const Folder folder;
  fails(train(folder,
              with({{"/network/drop/@outgoing_connections", {"sum.inputs_1"}},
                    {"/network/hidden/@outgoing_connections", {{"a", {"drop"}}, {"b", {"sum.inputs_2", "head.b"}}}},
                    {"/network/sum", {{"@type", "SquaredDifference"}, {"@outgoing_connections", {"head.a"}}}}})),
        {"'sum'", "(T, B_a, 32)", "(T, B_b, 32)"});
}

TEST_CASE("all that is wrong with an experiment is told in one report") {
  const Folder folder;
  const std::string text = with({{"/network/hidden/unit", 3},
                                 {"/network/head/activation", "tahn"},
                                 {"/train/stepper", {{"@type", "Adom"}}},
                                 {"/train/hooks/0/@type", "MonitorScore"},
                                 {"/train/batchsize", 3},
                                 {"/data/one/exmples", 4},
                                 {"/data/two/augment", {{{"@type", "Flipp"}}}},
                                 {"/init_from", "none.h5"},
                                 {"/seed", -1}});
  for (const char* dry : {"", "--dry-run"})
    fails(train(folder, text, dry),
          {"did you mean 'units'", "tanh", "train.stepper", "did you mean 'Adam'", "train.hooks.0",
           "did you mean 'MonitorScores'", "did you mean 'batch_size'", "data.one", "did you mean 'examples'",
           "data.two.augment.0", "init_from", "none.h5", "seed"},
          10);
  // What only shows on a network that can be built.
  fails(train(folder, with({{"/initialize", {{"hiden", 0}, {"default", {{"@type", "HeNorml"}}}}},
                            {"/tasks/a/loss", "a_los"},
                            {"/tasks/b/scorers", {"Acuracy"}},
                            {"/train/frozen", {"hed"}},
                            {"/train/weight_modifiers", {{"hiddn", {{"@type", "ConstrainL2Norm"}}}}},
                            {"/train/stepper/groups", {{"haed", {{"learning_rate", 1}}}}},
                            {"/data/one", {{"@type", "Idx"}, {"train", "nowhere/train"}}}})),
        {"pattern 'hiden' matches no layer; did you mean 'hidden'", "did you mean 'HeNormal'", "tasks.a", "a_los",
         "tasks.b.scorers.0", "did you mean 'Accuracy'", "train.frozen: 'hed'", "train.weight_modifiers",
         "train.stepper.groups", "'haed'", "data.one", "nowhere/train"},
        10);
}

TEST_CASE("a dry run refuses readers that cannot be") {
  const Folder folder;
  const std::string wrong =
      "train " + folder.write("e.json", with({{"/data/one/set", "spirls"}, {"/data/two/validation", 2}}));
  fails(run_squall(wrong + " --dry-run"), {"data.one", "spirals", "data.two", "validation"}, 3);
}

TEST_CASE("a model that init_from names is told with its place when it is missing") {
  const Folder folder;
  fails(train(folder, with({{"/init_from", "none/model.h5"}})), {"init_from: ", "none/model.h5"});
  fails(train(folder, with({{"/init_from", "e.json"}})), {"init_from: ", "e.json"});
}

TEST_CASE("a run never replaces the model that it begins with") {
  const Folder folder;
  REQUIRE(train(folder, tiny_experiment()).code == 0);
  const std::string model = read_file(folder / "run/model.h5");
  for (const char* from : {"run/model.h5", "./run/../run/model.h5", "run/best.h5"})
    fails(train(folder, with({{"/init_from", from}})), {"init_from", "run folder", "--out"});
  CHECK(model == read_file(folder / "run/model.h5"));
  const Ran other = run_squall("train " + folder.write("e.json", with({{"/init_from", "run/model.h5"}})) +
                               " --quiet --out " + (folder / "other"));
  INFO(other.err);
  CHECK(other.code == 0);
  CHECK(model == read_file(folder / "run/model.h5"));
}

TEST_CASE("weights that nothing says how to begin are never left at zero") {
  const Folder folder;
  REQUIRE(train(folder, tiny_experiment()).code == 0);
  const std::string other = " --quiet --out " + (folder / "other");
  const auto begin = [&](const json& initialize, int units) {
    const std::string text = with({{"/init_from", "run/model.h5"},
                                   {"/initialize", initialize},
                                   {"/sparsify", nullptr},
                                   {"/network/hidden/units", units}});
    return run_squall("train " + folder.write("e.json", text) + other);
  };
  fails(begin(nullptr, 20), {"init_from", "hidden", "W", "initialize"});
  CHECK(begin(nullptr, 32).code == 0);
  CHECK(begin({{"default", 0.1}}, 20).code == 0);  // biases of the head fit
  REQUIRE(run_squall("data make spirals --examples 50 --test 20 --out " + (folder / "data.h5")).code == 0);
  const std::string spec = R"({"network": {"@spec": "Fr16", "in_shape": [2], "out_shape": 2},
    "init_from": "run/model.h5", "data": {"one": {"@type": "Synthetic", "set": "spirals", "examples": 50}},
    "train": {"max_epochs": 1}})";
  const Ran none = run_squall("train " + folder.write("s.json", spec) + other);
  fails(none, {"init_from", "no parameter", "fits"});
}

TEST_CASE("a refused run leaves no folder that was not there") {
  const Folder folder;
  const std::string e = "train " + folder.write("e.json", with({{"/sparsify/sparsity", 20}})) + " --quiet --out ";
  CHECK(run_squall(e + (folder / "new/deep/run")).code == 1);
  CHECK_FALSE(exists(folder, "new"));
  std::filesystem::create_directory(folder / "mine");
  CHECK(run_squall(e + (folder / "mine/run")).code == 1);
  CHECK(exists(folder, "mine"));
  CHECK_FALSE(exists(folder, "mine/run"));
}

TEST_CASE("a loss that is not finite ends the run and keeps what was good") {
  const Folder folder;
  const auto e = [](double rate) {
    return with({{"/train/stepper", {{"@type", "Sgd"}, {"learning_rate", rate}}}, {"/train/hooks", json::array()}});
  };
  fails(train(folder, e(1e30)), {"not finite", "epoch 1", "update", "layer", "learning rate"});
  CHECK_FALSE(exists(folder, "run/model.h5"));
  // Two good epochs, then a step that is too large.
  json steps = json::parse(e(0));
  steps["train"]["stepper"]["learning_rate"] = {
      {"@type", "MultiStep"}, {"initial_value", 0.01}, {"steps", {2}}, {"values", {1e30}}, {"timescale", "epoch"}};
  fails(train(folder, steps.dump()), {"not finite", "epoch 3"});
  REQUIRE(exists(folder, "run/checkpoint.h5"));
  CHECK(std::count_if(std::filesystem::directory_iterator(folder / "run"), {},
                      [](const auto& f) { return f.path().extension() == ".tmp"; }) == 0);
  const std::string metrics = read_file(folder / "run/metrics.jsonl");
  CHECK(std::count(metrics.begin(), metrics.end(), '\n') == 2);
}

TEST_CASE("a finished run with more epochs goes on to the same bits as one long run") {
  const Folder folder;
  const std::string e = "train " + folder.write("e.json", tiny_experiment()) + " --quiet --json";
  for (const std::string& hooks : {std::string(), std::string(" --set train.hooks=[]")}) {
    const std::string long_out = folder / "long", out = folder / "short";
    const Ran whole = run_squall(e + hooks + " --out " + long_out + " --set train.max_epochs=7");
    REQUIRE(whole.code == 0);
    for (const char* epochs : {"2", "5", "5", "7"}) {  // once without anything new
      const Ran ran = run_squall(e + hooks + " --resume --out " + out + " --set train.max_epochs=" + epochs);
      INFO(ran.err);
      REQUIRE(ran.code == 0);
      CHECK(json::parse(ran.out)["tasks"]["a"]["epochs"] <= std::atoi(epochs));
    }
    CHECK(read_file(folder / "long/model.h5") == read_file(folder / "short/model.h5"));
    const auto lines = [](const std::string& text) { return std::count(text.begin(), text.end(), '\n'); };
    CHECK(lines(read_file(folder / "long/metrics.jsonl")) == lines(read_file(folder / "short/metrics.jsonl")));
    std::filesystem::remove_all(long_out);
    std::filesystem::remove_all(out);
  }
}

TEST_CASE("the run folder's experiment names the loss and the output of each task") {
  const Folder folder;
  json text = json::parse(tiny_experiment());
  text["tasks"]["a"].erase("loss");
  REQUIRE(train(folder, text.dump(), "--set train.max_epochs=1").code == 0);
  const json tasks = json::parse(read_file(folder / "run/experiment.json"))["tasks"];
  CHECK(tasks["a"]["loss"] == "a_loss");
  CHECK(tasks["a"]["output"] == "a_ce.predictions");
  CHECK(tasks["b"]["output"] == "b_ce.predictions");
}

TEST_CASE("eval tells the epochs as the report does") {
  const Folder folder;
  const Ran ran =
      run_squall("train " + folder.write("e.json", tiny_experiment()) + " --quiet --json --out " + (folder / "run"));
  REQUIRE(ran.code == 0);
  const Ran scores = run_squall("eval " + (folder / "run/model.h5") + " --json");
  REQUIRE(scores.code == 0);
  CHECK(json::parse(scores.out) == json::parse(ran.out)["tasks"]);
}

TEST_CASE("sizes that no machine has are refused with layer and bytes") {
  const Folder folder;
  fails(train(folder, with({{"/network/hidden/units", std::int64_t{1} << 62}})),
        {"'hidden'", "4611686018427387904", "EB"});
  fails(train(folder, with({{"/network/hidden/units", 100000000000000}})), {"'head'", "'W'", "PB", "cpu:f32 has"});
  fails(train(folder, with({{"/network/hidden/units", 100000000000000}}), "--dry-run"),
        {"'head'", "'W'", "PB", "cpu:f32 has"});
  fails(train(folder, with({{"/train/batch_size", std::int64_t{1} << 62}}), "--dry-run"),
        {"B_a = 4611686018427387904", "EB"});
  fails(train(folder, with({{"/data/one/examples", 100000000000000}})), {"data.one", "(100000000000000, 2)", "GB"});
  // A batch holds no more than there is.
  const Ran ran = train(folder, with({{"/train/batch_size", std::int64_t{1} << 62}, {"/train/max_epochs", 1}}));
  INFO(ran.err);
  CHECK(ran.code == 0);
}

TEST_CASE("the option verbose tells how a run works and quiet beats it") {
  const Folder folder;
  const std::string e = folder.write("e.json", tiny_experiment());
  const std::string out = "train " + e + " --out " + (folder / "run") + " --set train.max_epochs=1 ";
  const Ran plain = run_squall(out), more = run_squall(out + "-v"), quiet = run_squall(out + "-v --quiet");
  REQUIRE(more.code == 0);
  for (const char* word :
       {"handler cpu:f32", "threads", "data.one, train: 240 examples", "workspace", "hidden (MultiMaskedDense): "}) {
    CHECK_THAT(more.err, Catch::Contains(word));
    CHECK_THAT(plain.err, !Catch::Contains(word));
  }
  CHECK(quiet.err.empty());
  const Ran eval = run_squall("eval " + (folder / "run/model.h5") + " -v");
  CHECK_THAT(eval.err, Catch::Contains("handler cpu:f32") && Catch::Contains("head (MultiMaskedDense): "));
}

TEST_CASE("one output of a layer of many tasks is extracted with its own task's data alone") {
  const Folder folder;
  REQUIRE(train(folder, tiny_experiment(), "--set train.max_epochs=1").code == 0);
  for (const char* buffers :
       {"hidden.outputs.a", "head.inputs.a", "Input.outputs.a", "hidden.parameters.W", "drop.outputs.default"}) {
    const Ran ran = run_squall("extract " + (folder / "run/model.h5") + " --task a --out " + (folder / "b.h5") +
                               " --buffers " + buffers);
    INFO(buffers << ": " << ran.err);
    CHECK(ran.code == 0);
  }
  fails(run_squall("extract " + (folder / "run/model.h5") + " --task a --out " + (folder / "b.h5") +
                   " --buffers hidden.outputs.b"),
        {"Input.b"});
}

TEST_CASE("frozen layers keep their bits while others learn") {
  const Folder folder;
  const auto layer = [&](const std::string& run, const std::string& name) {
    const Ran ran = run_squall("extract " + (folder / run) + "/model.h5 --task a --out " + (folder / "b.h5") +
                               " --buffers " + name);
    INFO(ran.err);
    REQUIRE(ran.code == 0);
    return read_file(folder / "b.h5");
  };
  const std::string e = "train " + folder.write("e.json", with({{"/sparsify", nullptr}})) + " --quiet --out ";
  REQUIRE(run_squall(e + (folder / "first") + " --set train.max_epochs=1").code == 0);
  const std::string from = " --set init_from=first/model.h5 --set train.max_epochs=2 --set train.hooks=[] ";
  REQUIRE(run_squall(e + (folder / "second") + from + "--set train.frozen='[\"hid*\"]'").code == 0);
  for (const char* buffer : {"hidden.parameters.W", "hidden.parameters.bias"})
    CHECK(layer("first", buffer) == layer("second", buffer));
  CHECK(layer("first", "head.parameters.W") != layer("second", "head.parameters.W"));
  fails(run_squall(e + (folder / "third") + " --set train.frozen='[\"*\"]'"), {"frozen", "nothing"});
}
