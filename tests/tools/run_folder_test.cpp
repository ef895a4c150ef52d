// The folder of a run: what a refused, a second or a continued run leaves in it.
#include "run_command.hpp"
#include "squall/core/json.hpp"
#include "support/catch.hpp"

using namespace squall;
using namespace squall::testing;

namespace {

const char* const kFiles[] = {"experiment.json", "model.h5",      "best.h5",
                              "checkpoint.h5",   "metrics.jsonl", "report.json"};

// In FOLDER/run, from FOLDER/experiment.json.
Ran train(const Folder& folder, const std::string& more = "", const std::string& prefix = "") {
  const auto file = folder.write("experiment.json", tiny_experiment());
  return run_squall("train " + file + " --out " + (folder / "run") + " " + more, prefix);
}

bool exists(const Folder& folder, const char* name) {
  return std::filesystem::exists(folder / (std::string("run/") + name));
}

std::string content(const Folder& folder) {
  std::string all;
  for (const char* name : kFiles) all += read_file(folder / (std::string("run/") + name)) + "\n--\n";
  return all;
}

}  // namespace

TEST_CASE("a run that is refused leaves a finished one as it was") {
  const Folder folder;
  REQUIRE(train(folder).code == 0);
  const std::string before = content(folder);
  for (const char* wrong :
       {"--set sparsify.sparsity=30", "--set data.two.examples=0", "--set train.hooks.1.@type=MonitorScores"}) {
    const Ran ran = train(folder, wrong);
    INFO(wrong << ": " << ran.err);
    CHECK(ran.code != 0);
    CHECK((content(folder) == before));
  }
}

TEST_CASE("a run that fails before it has saved anything leaves a finished one as it was") {
  const Folder folder;
  REQUIRE(train(folder).code == 0);
  const std::string before = content(folder);
  for (const char* wrong : {"--set train.hooks.1.log=nothing.writes", "--set train.stepper.learning_rate=1e300"}) {
    const Ran ran = train(folder, wrong);
    INFO(wrong << ": " << ran.err);
    CHECK(ran.code == 1);
    CHECK((content(folder) == before));
    for (const auto& entry : std::filesystem::directory_iterator(folder / "run"))
      CHECK(entry.path().filename().string().front() != '.');
  }
}

TEST_CASE("a new run leaves no model of the old one beside its checkpoint") {
  const Folder folder;
  REQUIRE(train(folder).code == 0);
  const std::string endless = "--set data.one.examples=20000 --set train.max_epochs=2000 --set train.hooks=[]";
  CHECK(train(folder, endless, "timeout -s KILL 2").code != 0);
  CHECK(exists(folder, "experiment.json"));
  for (const char* name : {"model.h5", "best.h5", "report.json"}) CHECK_FALSE(exists(folder, name));
}

TEST_CASE("a second run in the same folder is refused") {
  const Folder folder;
  const auto file = folder.write("experiment.json", tiny_experiment());
  const std::string first = std::string("timeout -s TERM 6 ") + SQUALL_PROGRAM + " train " + file + " --quiet --out " +
                            (folder / "run") +
                            " --set data.one.examples=20000 --set train.max_epochs=2000 --set train.hooks=[] "
                            "> /dev/null 2>&1 &";
  REQUIRE(std::system(first.c_str()) == 0);
  for (int i = 0; i < 500 && !exists(folder, "metrics.jsonl"); ++i) usleep(10000);
  const Ran second = train(folder, "--quiet");
  CHECK(second.code != 0);
  CHECK_THAT(second.err, Catch::Contains("another run is writing there"));
  CHECK_FALSE(exists(folder, "model.h5"));
  for (int i = 0; i < 1000 && !exists(folder, "checkpoint.h5"); ++i) usleep(10000);
}

TEST_CASE("only the same experiment goes on from a checkpoint") {
  const Folder folder;
  const Ran first = train(folder, "--resume");
  REQUIRE(first.code == 0);
  CHECK_THAT(first.err, Catch::Contains("no checkpoint.h5"));
  const std::string before = content(folder);
  struct Case {
    const char *set, *told;
  };
  for (const Case& c : {Case{"--set train.batch_size=8", "train.batch_size is 8 now and was 16"},
                        Case{"--set sparsify.sparsity=60", "sparsify.sparsity is 60 now and was 50"},
                        Case{"--set data.one.examples=299", "data.one.examples is 299 now and was 300"},
                        Case{"--set network.hidden.units=16", "network.hidden.units is 16 now and was 32"},
                        Case{"--set train.max_epochs=5", "train.max_epochs is 5 now and was 6"},
                        Case{"--handler cpu:f64", "was made with f32 not f64"}}) {
    const Ran ran = train(folder, std::string("--resume ") + c.set);
    std::string told = ran.err;
    std::erase(told, ',');
    INFO(c.set);
    CHECK(ran.code != 0);
    CHECK_THAT(told, Catch::Contains(c.told));
    CHECK((content(folder) == before));
  }
  const Ran same = run_squall("train " + (folder / "run/experiment.json") + " --resume --out " + (folder / "run"));
  INFO(same.err);
  CHECK(same.code == 0);
}
