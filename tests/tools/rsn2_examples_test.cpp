// The experiments of the RSN2 authors and our comparisons: every file can be run, and the scripts do what they say.
#include "run_command.hpp"
#include "squall/core/json.hpp"
#include "support/catch.hpp"

using namespace squall;
using namespace squall::testing;

namespace {

std::string example(const std::string& name) { return std::string(SQUALL_GOLDEN) + "/../../examples/" + name; }

// Drawn images in place of files.
std::string drawn(const std::string& data, int examples, const std::string& more = "") {
  return " --set 'data." + data + R"(={"@type": "Synthetic", "set": "strokes", "examples": )" +
         std::to_string(examples) + R"(, "test_examples": 20, "validation": 0.2, "scale": 255)" + more + "}'";
}
std::string set(const std::string& path, const std::string& value) { return " --set " + path + "=" + value; }

json train(const Folder& folder, const std::string& arguments) {
  const Ran ran = run_squall("train " + arguments + " --quiet --json --out " + (folder / "run"));
  INFO(arguments << ": " << ran.err);
  REQUIRE(ran.code == 0);
  return json::parse(ran.out);
}

Ran script(const std::string& name, const std::string& arguments) {
  return run_squall(example(name) + " --squall " + SQUALL_PROGRAM + " " + arguments, "PYTHONDONTWRITEBYTECODE=1",
                    "python3");
}

}  // namespace

TEST_CASE("every experiment of the authors and its literal twin can be planned") {
  for (const std::string n : {"1", "2", "3", "4", "5", "6", "7", "8", "9"})
    for (const std::string kind : {"", "_literal"}) {
      CAPTURE(n, kind);
      const std::string file = example("rsn2_e" + n + kind + ".json");
      REQUIRE(std::filesystem::exists(file));
      const Ran ran = run_squall("train " + file + " --dry-run --json" + (n >= "8" ? " --set train.batch_size=2" : ""));
      INFO(ran.err);
      CHECK(ran.code == 0);
    }
}

TEST_CASE("houses learn beside images in E3 and by pieces in E4") {
  const Folder folder;
  std::string small = drawn("digits", 40) + drawn("fashion", 40) + set("data.houses.examples", "60") +
                      set("data.houses.test_examples", "30") + set("sparsify.sparsity", "75");
  for (int i = 1; i <= 5; ++i) small += set("network.hidden_" + std::to_string(i) + ".units", "24");
  for (int i = 0; i < 2; ++i) small += set("train.stages." + std::to_string(i) + ".max_epochs", "1");
  const json three = train(folder, example("rsn2_e3.json") + small + set("network.hidden_6.units", "24") +
                                       set("network.houses_adapter.units", "784"));
  CHECK(three["overlap"] == 0);
  CHECK(three["tasks"]["houses"].contains("mean_squared_error"));
  CHECK(three["tasks"]["digits"]["epochs"] == 1);
  std::string more = small + set("train.stages.2.max_epochs", "1") + set("data.reviews.examples", "40") +
                     set("data.reviews.test_examples", "20");
  for (const char* adapter : {"images_adapter", "houses_adapter", "reviews_adapter"})
    more += set(std::string("network.") + adapter + ".units", "32");
  const json four = train(folder, example("rsn2_e4.json") + more);
  CHECK(four["overlap"] == 0);
  CHECK(four["tasks"]["reviews"]["accuracy"].is_number());
  const json literal = train(folder, example("rsn2_e4_literal.json") + more + set("sparsify.examples", "30"));
  CHECK(literal["tasks"]["reviews"]["epochs"] == 1);
}

TEST_CASE("three tasks look at one face in E8") {
  const Folder folder;
  std::string small = set("train.batch_size", "2") + set("train.max_epochs", "1");
  for (const char* data : {"age", "gender", "ethnicity", "objects"})
    small += set(std::string("data.") + data + ".examples", "5") +
             set(std::string("data.") + data + ".test_examples", "2") +
             set(std::string("data.") + data + ".resize", "'[16,16]'");
  std::string network = "'" + json::parse(read_file(example("rsn2_e8.json")))["network"].dump() + "'";
  for (std::size_t at = network.find("256,256"); at != std::string::npos; at = network.find("256,256"))
    network.replace(at, 7, "16,16");
  small += set("network", network);
  const json report = train(folder, example("rsn2_e8.json") + small);
  CHECK(report["overlap"] == 0);
  for (const char* task : {"age", "gender", "ethnicity", "objects"}) CHECK(report["tasks"][task]["epochs"] == 2);
  const Ran wrong = run_squall("train " + example("rsn2_e8.json") + small + set("data.age.set", "objects") + " --out " +
                               (folder / "wrong"));
  CHECK(wrong.code == 1);
  CHECK(wrong.err.find("have different examples; give each an input") != std::string::npos);
}

TEST_CASE("the heads of E9 look at words through weights of their own") {
  const Folder folder;
  std::string small = set("data.newswire.examples", "20") + set("data.newswire.test_examples", "4") +
                      set("train.batch_size", "8") + set("train.max_epochs", "1") + set("network.words.embed_dim", "8");
  for (const char* layer : {"queries", "keys", "values", "inner_1", "hidden"})
    small += set(std::string("network.") + layer + ".units", "8");
  small += set("network.inner_2.units", "64");  // eight heads of 8
  for (const std::string kind : {"", "_literal"}) {
    const json report = train(folder, example("rsn2_e9" + kind + ".json") + small);
    CHECK(report["tasks"]["newswire"]["epochs"] == 3);  // two of them dense
    CHECK(report["tasks"]["newswire"]["density"].get<double>() < 0.2);
    CHECK(report["overlap"] == 0);
  }
}

TEST_CASE("ten tasks and more share one network without sharing a weight") {
  const Folder folder;
  for (const auto& [name, tasks] : {std::pair<std::string, int>{"ten", 10}, {"twenty", 20}, {"fifty", 50}}) {
    CAPTURE(name);
    const std::string file = example(name + "_tasks.json");
    json e = json::parse(read_file(file));
    CHECK(static_cast<int>(e["tasks"].size()) == tasks);
    json small = {{"extends", std::filesystem::absolute(file).string()}, {"train", {{"max_epochs", 1}}}};
    for (const auto& [data, options] : e["data"].items())
      small["data"][data] = {{"@type", "Synthetic"},
                             {"set", "strokes"},
                             {"examples", 10},
                             {"test_examples", 5},
                             {"scale", 255},
                             {"validation", 0.2},
                             {"permute", options.value("permute", 0)}};
    small["network"] = e["network"];
    small["network"]["@spec"] = "F100 F100";
    const json report = train(folder, folder.write(name + ".json", small.dump()));
    CHECK(report["overlap"] == 0);
    for (const auto& [task, scores] : report["tasks"].items())
      CHECK(scores["density"].get<double>() == Approx(1.0 / tasks).margin(0.02));
  }
}

TEST_CASE("the script of the reproduction skips what is finished and writes what was run") {
  const Folder folder;
  std::string arguments = "--experiments E1 --variants ours,random,control --seeds 1 --epochs-scale 0.01 --out " +
                          (folder / "runs") + " --table " + (folder / "page.md");
  arguments += drawn("digits", 60) + drawn("fashion", 60);
  for (int i = 1; i <= 6; ++i) arguments += set("network.hidden_" + std::to_string(i) + ".units", "20");
  const Ran first = script("rsn2_reproduce.py", arguments);
  INFO(first.out << first.err);
  REQUIRE(first.code == 0);
  CHECK(first.out.find("E1/ours/seed1") != std::string::npos);
  const json cell = json::parse(read_file(folder / "runs/E1/ours/seed1/cell.json"));
  CHECK(cell["overlap"] == 0);
  CHECK(cell["packed_bytes"].get<int>() > 0);
  CHECK(json::parse(read_file(folder / "runs/E1/control/digits/seed1/cell.json"))["report"]["tasks"].size() == 1);
  const std::string page = read_file(folder / "page.md");
  char accuracy[32];
  std::snprintf(accuracy, sizeof accuracy, "| %.4f (1) |", cell["report"]["tasks"]["digits"]["accuracy"].get<double>());
  CHECK(page.find(std::string("| E1 | digits | .9724 | .9758 | .974 ") + accuracy) != std::string::npos);
  CHECK(page.find("| E2 | digits | .9874 | .9884 | .988 | not run | not run | not run | not run |") !=
        std::string::npos);
  CHECK(page.find("no results") != std::string::npos);  // a hundredth of the epochs
  const Ran second = script("rsn2_reproduce.py", arguments);
  CHECK(second.code == 0);
  CHECK(second.out.find("seed1") == std::string::npos);
  CHECK(read_file(folder / "page.md") == page);
  CHECK(script("rsn2_reproduce.py", "--experiments E77").code == 2);
}

TEST_CASE("the script of the comparison runs every way of choosing") {
  const Folder folder;
  std::string arguments = "--sparsities 90 --quotas tensor --seeds 1 --epochs-scale 0.05 --out " + (folder / "runs") +
                          " --table " + (folder / "page.md") + drawn("digits", 60) + drawn("fashion", 60);
  for (int i = 1; i <= 6; ++i) arguments += set("network.hidden_" + std::to_string(i) + ".units", "20");
  const Ran ran = script("rsn2_compare.py", arguments);
  INFO(ran.out << ran.err);
  REQUIRE(ran.code == 0);
  for (const std::string cell :
       {"random/tensor/rescaled", "random/tensor/as_drawn", "magnitude/tensor/rescaled", "gradients/tensor/as_drawn",
        "weight_gradient/tensor/rescaled", "warm_up/tensor/as_drawn", "gradual/tensor/as_drawn"}) {
    CAPTURE(cell);
    const json done = json::parse(read_file(folder / ("runs/90/" + cell + "/seed1/cell.json")));
    CHECK(done["overlap"] == 0);
  }
  const json gradual = json::parse(read_file(folder / "runs/90/gradual/tensor/as_drawn/seed1/cell.json"));
  for (const auto& [task, density] : gradual["density"].items()) CHECK(density.get<double>() < 0.6);
  const std::string page = read_file(folder / "page.md");
  CHECK(page.find("| 80 % | chance, at the start | unit | yes | not run |") != std::string::npos);
}
