// Learned masks as a user meets them: recordings of NeuroSurgeon, the section of an experiment, the command.
#include <filesystem>

#include "run_command.hpp"
#include "squall/core/json.hpp"
#include "squall/handlers/make_handler.hpp"
#include "squall/tools/catalog.hpp"
#include "squall/tools/conformance.hpp"
#include "support/catch.hpp"

using namespace squall;
using namespace squall::testing;

namespace {

constexpr const char* kMasks =
    R"( --set sparsify=null --set 'masks={"*": {"@type": "ContinuousSparsification", "mask_init_value": 0.1, "l0_lambda": 0.01}}')";

bool says(const Ran& ran, const std::string& text) { return ran.err.find(text) != std::string::npos; }

// A model without masks, and one whose masks were trained over its weights.
struct Found {
  Folder folder;
  std::string file = folder.write("experiment.json", tiny_experiment());
  std::string base = folder / "base/model.h5", model = folder / "run/model.h5";
  Found() {
    const Ran first = run_squall("train " + file + " --quiet --set sparsify=null --out " + (folder / "base"));
    INFO(first.err);
    REQUIRE(first.code == 0);
    const Ran ran =
        train("run", R"(--set 'train.frozen=["*"]' --set train.stepper.learning_rate=0.1 --set 'train.hooks=[]')");
    INFO(ran.err);
    REQUIRE(ran.code == 0);
  }
  Ran train(const std::string& out, const std::string& more) const {
    return run_squall("train " + file + " --quiet" + kMasks + " --set init_from=" + base + " --set initialize=null " +
                      more + " --out " + (folder / out));
  }
};

}  // namespace

TEST_CASE("NeuroSurgeon's masks are reproduced") {
  const Catalog catalog = make_catalog();
  int replayed = 0;
  for (const std::string name : {"cpu:f64", "cpu:f32", "debug:cpu:f64"}) {
    const auto handler = make_handler(name);
    for (const auto& entry :
         std::filesystem::directory_iterator(std::filesystem::path(SQUALL_GOLDEN) / "neurosurgeon")) {
      const auto result = replay(entry.path(), catalog, handler);
      INFO(name << " " << result.name << ": " << result.message);
      CHECK(result.state == ConformanceResult::State::Passed);
      ++replayed;
    }
  }
  CHECK(replayed >= 3 * 17);
}

TEST_CASE("An experiment puts masks over a trained model and squall masks says what they are worth") {
  const Found f;
  const Ran ran = run_squall("masks " + f.model + " --ablate --draws 3 --json");
  INFO(ran.err);
  REQUIRE(ran.code == 0);
  const json result = json::parse(ran.out);
  CHECK(result["max_l0"] == 2 * 32 * 2 + 2 * 3 * 32);
  CHECK(result["density"].get<double>() < 1);
  CHECK(result["l0"].get<double>() == result["density"].get<double>() * result["max_l0"].get<double>());
  const json& scores = result["scores"];
  const json whole = json::parse(run_squall("eval " + f.base + " --json").out);
  CHECK(scores["whole"]["a"]["accuracy"] == whole["a"]["accuracy"]);
  CHECK(scores["whole"]["a"]["loss"] == whole["a"]["loss"]);
  CHECK(scores["subnetwork"] ==
        json::parse(run_squall("masks " + f.model + " --ablate --draws 1 --json").out)["scores"]["subnetwork"]);
  CHECK(scores["randomly_sampled"]["a"]["accuracy"]["least"] <= scores["randomly_sampled"]["a"]["accuracy"]["largest"]);
}

TEST_CASE("squall eval ablates as it is told") {
  const Found f;
  const auto accuracy = [&](const std::string& more) {
    const Ran ran = run_squall("eval " + f.model + " --json " + more);
    INFO(ran.err);
    REQUIRE(ran.code == 0);
    return json::parse(ran.out)["a"]["loss"].get<double>();
  };
  CHECK(accuracy("--no-masks") == json::parse(run_squall("eval " + f.base + " --json").out)["a"]["loss"]);
  CHECK(accuracy("--ablate none") == accuracy(""));
  CHECK(accuracy("--ablate zero_ablate") != accuracy(""));
  CHECK(accuracy("--ablate randomly_sampled --seed 1") == accuracy("--ablate randomly_sampled --seed 1"));
  CHECK(accuracy("--ablate randomly_sampled --seed 1") != accuracy("--ablate randomly_sampled --seed 2"));
  CHECK(says(run_squall("eval " + f.base + " --ablate zero_ablate"), "--ablate: the model has no learned masks"));
}

TEST_CASE("A subnetwork can be written alone and compared with another") {
  const Found f;
  const Ran ran = run_squall("masks " + f.model + " " + f.model + " --json --out " + (f.folder / "alone.h5"));
  INFO(ran.err);
  REQUIRE(ran.code == 0);
  const json overlap = json::parse(ran.out)["overlap"]["total"];
  CHECK(overlap["jaccard"] == 1);
  CHECK(overlap["first_only"] == 0);
  const json alone = json::parse(run_squall("eval " + (f.folder / "alone.h5") + " --json").out);
  const json masked = json::parse(run_squall("eval " + f.model + " --json").out);
  CHECK(alone["a"]["accuracy"] == masked["a"]["accuracy"]);
  CHECK(says(run_squall("masks " + f.base), "the network has no learned masks"));
}

TEST_CASE("Masks of an experiment that cannot be put on are told with their place") {
  const Folder folder;
  const std::string file = folder.write("experiment.json", tiny_experiment());
  const auto refused = [&](const std::string& masks) {
    return run_squall("train " + file + " --dry-run --set sparsify=null --set 'masks=" + masks + "'");
  };
  CHECK(says(refused(R"({"hiden": {"@type": "HardConcrete"}})"), "masks: pattern 'hiden' matches no layer"));
  CHECK(says(refused(R"({"*": {"@type": "HardConcrete", "mask_init_percentage": 2}})"),
             "masks.*: option 'mask_init_percentage' should be from 0 to 1, not 2"));
  CHECK(says(refused(R"({"*": {"@type": "Concrete"}})"), "masks.*: unknown"));
  CHECK(refused(R"({"*": {"@type": "HardConcrete"}})").code == 0);
}

TEST_CASE("A run that trains masks goes on where it was stopped") {
  const Found f;
  const std::string more =
      R"(--set 'train.hooks=[{"@type": "MaskTemperature", "final_temperature": 8, "epochs": 4}]' )";
  REQUIRE(f.train("whole", more + "--set train.max_epochs=4").code == 0);
  REQUIRE(f.train("parts", more + "--set train.max_epochs=2").code == 0);
  const Ran ran = f.train("parts", more + "--set train.max_epochs=4 --resume");
  INFO(ran.err);
  REQUIRE(ran.code == 0);
  CHECK(read_file(f.folder / "whole/model.h5") == read_file(f.folder / "parts/model.h5"));
}
