// squall sparsify and convert --quantize, and hooks that prune, as a user runs them.
#include "squall/core/json.hpp"
#include "support/catch.hpp"
#include "tools/run_command.hpp"

using namespace squall;
using namespace squall::testing;

namespace {

// A trained model of two tasks without masks.
struct Trained {
  Folder folder;
  std::string model;
  Trained() {
    const std::string file = folder.write("experiment.json", tiny_experiment());
    const Ran ran =
        run_squall("train " + file + " --quiet --set sparsify=null --set train.max_epochs=4 --out " + (folder / "run"));
    INFO(ran.err);
    REQUIRE(ran.code == 0);
    model = folder / "run/model.h5";
  }
};

bool says(const Ran& ran, const std::string& text) { return ran.err.find(text) != std::string::npos; }

}  // namespace

TEST_CASE("sparsify masks by every score and says who owns what") {
  const Trained t;
  for (const std::string method : {"magnitude", "random", "gradients", "absolute_gradients", "squared_gradients",
                                   "weight_gradient", "activation_norm"}) {
    CAPTURE(method);
    const Ran ran = run_squall("sparsify " + t.model + " --method " + method + " --sparsity 60 --examples 64 --quota " +
                               (method == "random" ? "layer" : "tensor") + " --json --out " + (t.folder / "m.h5"));
    INFO(ran.err);
    REQUIRE(ran.code == 0);
    const json report = json::parse(ran.out);
    CHECK(report["overlap"] == 0);
    CHECK(report["density"]["a"].get<double>() == Approx(0.4).margin(0.05));
    CHECK(json::parse(run_squall("eval " + (t.folder / "m.h5") + " --json").out)["a"]["density"].get<double>() ==
          Approx(report["density"]["a"].get<double>()));
  }
}

TEST_CASE("sparsify again chooses anew and without it masks stay") {
  const Trained t;
  REQUIRE(run_squall("sparsify " + t.model + " --sparsity 60 --quota tensor --out " + (t.folder / "m.h5")).code == 0);
  const auto density = [&](const std::string& more) {
    const Ran ran = run_squall("sparsify " + (t.folder / "m.h5") + " --sparsity 80 --quota tensor --json " + more +
                               " --out " + (t.folder / "n.h5"));
    REQUIRE(ran.code == 0);
    return json::parse(ran.out)["density"]["a"].get<double>();
  };
  CHECK(density("") == Approx(0.4).margin(0.03));
  CHECK(density("--again") == Approx(0.2).margin(0.03));
}

TEST_CASE("what cannot be masked is told in one line with a remedy") {
  const Trained t;
  const auto sparsify = [&](const std::string& arguments) {
    const Ran ran = run_squall("sparsify " + t.model + " " + arguments + " --out " + (t.folder / "x.h5"));
    CHECK(std::count(ran.err.begin(), ran.err.end(), '\n') <= 2);
    CHECK_FALSE(std::filesystem::exists(t.folder / "x.h5"));
    return ran;
  };
  Ran ran = sparsify("--sparsity 120");
  CHECK((ran.code == 2 && says(ran, "0 to 100, not '120'")));
  ran = sparsify("--sparsity -5");
  CHECK((ran.code == 2 && says(ran, "0 to 100")));
  ran = sparsify("--sparsity 30 --quota tensor");
  CHECK((ran.code == 1 && says(ran, "2 tasks at 30 % want") && says(ran, "raise sparsity to at least")));
  ran = sparsify("--task c");
  CHECK((ran.code != 0 && says(ran, "--task c")));
  ran = sparsify("--method gradients --compat beyond");
  CHECK(ran.code == 2);
}

TEST_CASE("quantized models keep their masks and answers") {
  const Trained t;
  const std::string masked = t.folder / "m.h5", out = t.folder / "q.h5";
  REQUIRE(run_squall("sparsify " + t.model + " --sparsity 50 --out " + masked).code == 0);
  const json before = json::parse(run_squall("eval " + masked + " --json").out);
  for (const std::string format : {"fp16", "bf16", "int8"})
    for (const std::string to : {"sparse", "masked", "dense"}) {
      CAPTURE(format, to);
      const Ran ran = run_squall("convert " + masked + " --to " + to + " --quantize " + format +
                                 " --batches 1 --json --out " + out);
      INFO(ran.err);
      REQUIRE(ran.code == 0);
      const json report = json::parse(ran.out);
      CHECK(report["quantized"]["tensors"].size() >= 2);
      const json after = json::parse(run_squall("eval " + out + " --json").out);
      CHECK(after["a"]["loss"].get<double>() == Approx(before["a"]["loss"].get<double>()).epsilon(0.1));
      if (to == "masked") CHECK(after["a"]["density"] == before["a"]["density"]);
    }
  CHECK(run_squall("convert " + masked + " --quantize int3 --out " + out).code == 2);
}

TEST_CASE("hooks of an experiment prune while it trains and it can be continued") {
  const Folder folder;
  json experiment = json::parse(tiny_experiment());
  experiment["sparsify"] = nullptr;
  experiment["train"]["max_epochs"] = 6;
  const json schedule = {{"@type", "GradualSparsity"}, {"final_value", 80}, {"begin", 1}, {"end", 4}};
  experiment["train"]["hooks"] = {{{"@type", "GradualSparsification"}, {"schedule", schedule}, {"quota", "tensor"}}};
  const std::string file = folder.write("gradual.json", experiment.dump());
  const Ran ran = run_squall("train " + file + " --quiet --out " + (folder / "run"));
  INFO(ran.err);
  REQUIRE(ran.code == 0);
  const json report = json::parse(read_file(folder / "run/report.json"));
  CHECK(report["overlap"] == 0);
  CHECK(report["tasks"]["a"]["density"].get<double>() == Approx(0.2).margin(0.03));
  REQUIRE(run_squall("train " + file + " --quiet --set train.max_epochs=3 --out " + (folder / "short")).code == 0);
  json active = experiment;
  active["train"]["hooks"] = {
      {{"@type", "MonitorScores"}},
      {{"@type", "ActiveSparsification"}, {"performance_cutoff", 0.3}, {"sparsification_rate", 30}}};
  const Ran pruned =
      run_squall("train " + folder.write("active.json", active.dump()) + " --quiet --out " + (folder / "active"));
  INFO(pruned.err);
  REQUIRE(pruned.code == 0);
  active["train"]["hooks"][1]["max_sparsification"] = 101;
  const Ran wrong =
      run_squall("train " + folder.write("wrong.json", active.dump()) + " --quiet --out " + (folder / "wrong"));
  CHECK(wrong.code == 1);
  CHECK(says(wrong, "percentages, 0 to 100"));
}
