#include <sys/stat.h>

#include <algorithm>

#include "run_command.hpp"
#include "squall/core/describe.hpp"
#include "squall/core/json.hpp"
#include "support/catch.hpp"

using namespace squall;
using namespace squall::testing;

namespace {

// One clear message that has all these words; exit code 1, nothing on stdout.
void fails(const Ran& ran, std::initializer_list<const char*> words) {
  INFO(ran.err);
  CHECK(ran.code == 1);
  CHECK(ran.out.empty());
  for (const char* word : words) CHECK(ran.err.find(word) != std::string::npos);
}

std::string with(const std::string& old, const std::string& now) {
  std::string text = tiny_experiment();
  const auto at = text.find(old);
  REQUIRE(at != std::string::npos);
  return text.replace(at, old.size(), now);
}

Ran train(const Folder& folder, const std::string& text, const std::string& more = "") {
  return run_squall("train " + folder.write("e.json", text) + " --quiet --out " + (folder / "run") + " " + more);
}

}  // namespace

TEST_CASE("wrong usage exits with 2") {
  CHECK(run_squall("").code == 2);
  CHECK(run_squall("trian x.json").code == 2);
  CHECK(run_squall("train").code == 2);
  CHECK(run_squall("info --no-such-option").code == 2);
  CHECK(run_squall("serve").code == 2);  // what is not built does not exist
}

TEST_CASE("wrong experiments are told with path, word and remedy") {
  const Folder folder;
  fails(train(folder, tiny_experiment().substr(0, 700)), {"e.json", "line", "column"});
  fails(train(folder, with("\"SoftmaxCE\"", "\"SoftmaxCe\"")), {"SoftmaxCe", "did you mean 'SoftmaxCE'"});
  fails(train(folder, with("\"units\": 32", "\"unit\": 32")), {"hidden", "unit", "did you mean 'units'"});
  fails(train(folder, with("\"units\": 32", "\"units\": \"many\"")), {"hidden", "units", "whole number"});
  fails(train(folder, with("[\"T\", \"B_a\", 1]", "[\"T\", \"B_a\", 4]")), {"a_ce", "targets", "(T, B_a, 4)"});
  fails(train(folder, with("\"loss\": [\"a_loss\"]", "\"loss\": [\"a_loss\", \"hidden.a\"]")), {"cycle", "hidden"});
  fails(train(folder, with("\"max_epochs\": 6", "\"max_epoch\": 6")),
        {"train", "max_epoch", "did you mean 'max_epochs'"});
  fails(train(folder, with("\"data\": \"two\"", "\"data\": \"tow\"")), {"tasks.b.data", "tow", "two"});
  fails(train(folder, with("\"@type\": \"Adam\"", "\"@type\": \"Adamm\"")), {"train.stepper", "Adam"});
  fails(train(folder, with("\"sparsity\": 50", "\"sparsity\": 20")), {"W", "sparsity"});
  fails(train(folder, with("\"sparsity\": 50", "\"sparsity\": 150")), {"sparsity", "100"});
}

TEST_CASE("several problems are told at once") {
  const Folder folder;
  std::string text = with("\"units\": 32", "\"unit\": 32");
  text.replace(text.find("\"@type\": \"Adam\""), 15, "\"@type\": \"Adom\"");
  const Ran ran = train(folder, text);
  fails(ran, {"Adom"});
}

TEST_CASE("missing and damaged files are told") {
  const Folder folder;
  fails(run_squall("train " + (folder / "none.json")), {"none.json"});
  const std::string idx = R"({"@type": "Idx", "train": "mnist/train"})";
  fails(train(folder, with(R"({"@type": "Synthetic", "set": "spirals", "examples": 300, "validation": 0.2})", idx),
              "--data " + (folder / "nowhere")),
        {"mnist/train", "data.one"});
  fails(run_squall("eval " + folder.write("not_a_model.h5", "hello")), {"not_a_model.h5", "squall"});
  fails(run_squall("info " + (folder / "absent.h5")), {"absent.h5"});
}

TEST_CASE("a model with a changed byte or cut off is refused") {
  const Folder folder;
  REQUIRE(train(folder, tiny_experiment()).code == 0);
  const std::string good = read_file(folder / "run/model.h5");
  for (const std::size_t at : {std::size_t{3}, std::size_t{30}, std::size_t{400}, good.size() / 2, good.size() - 1}) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x20);
    fails(run_squall("eval " + folder.write("bad.h5", bad)), {"bad.h5"});
  }
  fails(run_squall("eval " + folder.write("cut.h5", good.substr(0, good.size() - 100))), {"cut.h5", "cut off"});
}

TEST_CASE("a full disk leaves the previous file as it was") {
  const Folder folder;
  REQUIRE(train(folder, tiny_experiment()).code == 0);
  const std::string model = folder / "run/model.h5";
  const std::string target = folder / "out.h5";
  REQUIRE(run_squall("convert " + model + " --to dense --out " + target).code == 0);
  const std::string before = read_file(target);
  const Ran ran = run_squall("convert " + model + " --to masked --out " + target, "trap '' XFSZ; ulimit -f 4;");
  CHECK(ran.code == 1);
  CHECK(ran.err.find("out.h5") != std::string::npos);
  CHECK(read_file(target) == before);
}

TEST_CASE("commands that write HDF5 survive a full disk") {
  const Folder folder;
  REQUIRE(train(folder, tiny_experiment()).code == 0);
  const std::string data = folder / "data.h5";
  REQUIRE(run_squall("data make spirals --examples 3000 --test 3000 --out " + data).code == 0);
  const std::string target = folder.write("out.h5", "what was there");
  for (const std::string& command :
       {"data shuffle " + data,
        "extract " + (folder / "run/model.h5") + " --task a --split train --buffers drop.outputs.default"})
    for (const char* limit : {"1", "4", "16"}) {
      const Ran ran = run_squall(command + " --out " + target, std::string("trap '' XFSZ; ulimit -f ") + limit + ";");
      fails(ran, {"out.h5", "File too large", "raise the limit", "previous file is unchanged"});
      CHECK(std::count(ran.err.begin(), ran.err.end(), '\n') == 1);
      CHECK(read_file(target) == "what was there");
    }
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder / ".")) files += entry.is_regular_file();
  CHECK(files == 3);  // no temporary is left
}

TEST_CASE("commands that write HDF5 follow links and leave devices alone") {
  const Folder folder;
  const std::string data = folder / "data.h5";
  REQUIRE(run_squall("data make spirals --examples 50 --test 50 --out " + data).code == 0);
  const std::string real = folder.write("real.h5", "what was there");
  std::filesystem::permissions(real, std::filesystem::perms{0640});
  std::filesystem::create_symlink("real.h5", folder / "link.h5");
  REQUIRE(run_squall("data shuffle " + data + " --out " + (folder / "link.h5")).code == 0);
  CHECK(std::filesystem::is_symlink(folder / "link.h5"));
  CHECK(read_file(real).substr(1, 3) == "HDF");
  CHECK(std::filesystem::status(real).permissions() == std::filesystem::perms{0640});
  REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
  fails(run_squall("data shuffle " + data + " --out " + (folder / "pipe")), {"pipe", "plain file"});
  CHECK(std::filesystem::is_fifo(folder / "pipe"));
}

TEST_CASE("tasks that are not there are told with those that are") {
  const Folder folder;
  REQUIRE(train(folder, tiny_experiment()).code == 0);
  const std::string model = folder / "run/model.h5";
  fails(run_squall("eval " + model + " --task c"), {"--task c", "a, b"});
  fails(run_squall("convert " + model + " --task c --to sparse --out " + (folder / "x.h5")), {"--task c"});
  fails(run_squall("predict " + model + " --input x.npy --output y.npy"), {"--task"});
}

TEST_CASE("handlers that are not there are told") {
  const Folder folder;
  fails(train(folder, tiny_experiment(), "--handler cuda:0"), {"CUDA"});
  fails(train(folder, tiny_experiment(), "--precision bf16"), {"bf16"});
}
