// squall convert and predict on packed and quantized models, as a user runs them.
#include <cmath>

#include "run_command.hpp"
#include "squall/core/json.hpp"
#include "squall/io/h5_file.hpp"
#include "squall/io/npy.hpp"
#include "support/catch.hpp"

using namespace squall;
using namespace squall::testing;

namespace {

std::string trained(const Folder& folder) {
  const auto file = folder.write("experiment.json", tiny_experiment());
  const Ran ran = run_squall("train " + file + " --quiet --out " + (folder / "run") +
                             " --set train.max_epochs=2 --set network.hidden.units=400");
  INFO(ran.err);
  REQUIRE(ran.code == 0);
  return folder / "run/model.h5";
}

json converted(const std::string& arguments) {
  const Ran ran = run_squall("convert " + arguments + " --json");
  INFO(ran.err);
  REQUIRE(ran.code == 0);
  return json::parse(ran.out);
}

}  // namespace

TEST_CASE("quantized files are small and say how far they are from the model before") {
  const Folder folder;
  const std::string model = trained(folder);
  const json before = json::parse(run_squall("eval " + model + " --json").out);
  for (const std::string to : {"sparse", "masked", "dense"}) {
    const json whole = converted(model + " --to " + to + " --batches 1 --out " + (folder / "whole.h5"));
    CHECK(whole["max_difference"].get<double>() < 1e-5);
    for (const std::string format : {"fp16", "bf16", "int8"}) {
      INFO(to << " " << format);
      const std::string out = folder / "small.h5";
      const json r = converted(model + " --to " + to + " --quantize " + format + " --batches 1 --out " + out);
      CHECK(r["max_difference"].get<double>() > 1e-6);  // against the model before rounding
      CHECK(r["max_difference"].get<double>() < 0.1);
      CHECK(r["bytes"] == std::filesystem::file_size(out));
      if (format != "int8") CHECK(r["bytes"].get<double>() < whole["bytes"].get<double>());  // units of two inputs
      CHECK(r["quantized"]["bytes"].get<double>() > 0);
      const json after = json::parse(run_squall("eval " + out + " --json").out);
      for (const char* task : {"a", "b"})
        CHECK(std::abs(after[task]["loss"].get<double>() - before[task]["loss"].get<double>()) < 0.1);
      // converted again it stays as narrow, and nothing more is lost
      const json again = converted(out + " --again --to " + to + " --batches 1 --out " + (folder / "again.h5"));
      CHECK(again["max_difference"].get<double>() < 1e-5);
      CHECK(again["bytes"].get<double>() < 1.05 * r["bytes"].get<double>());
    }
  }
}

TEST_CASE("a packed model says how masks are stored and can be packed again or have a task taken out") {
  const Folder folder;
  const std::string model = trained(folder), packed = folder / "packed.h5";
  const json r = converted(model + " --to sparse --batches 1,8 --out " + packed);
  REQUIRE(r["masks"].size() == 2);
  for (const auto& m : r["masks"]) CHECK(m["bytes"].get<int>() > 0);
  for (const auto& l : r["layers"]) CHECK(l["ratios"].size() == 2);
  for (const std::string coding : {"csr16", "csr32", "bitmap", "gaps8", "range"}) {
    const json other = converted(packed + " --batches 1 --masks " + coding + " --out " + (folder / "other.h5"));
    for (const auto& m : other["masks"]) CHECK(m["coding"] == coding);
    CHECK(other["max_difference"].get<double>() < 1e-5);
    CHECK(other["bytes"].get<double>() > 0.98 * r["bytes"].get<double>());  // what was chosen is the smallest
  }
  const json alone = converted(packed + " --task b --batches 1 --out " + (folder / "b.h5"));
  CHECK(alone["bytes"].get<double>() < r["bytes"].get<double>());
  const json both = json::parse(run_squall("eval " + packed + " --json").out);
  const json one = json::parse(run_squall("eval " + (folder / "b.h5") + " --json").out);
  CHECK(one["b"]["accuracy"] == both["b"]["accuracy"]);
  CHECK(run_squall("convert " + packed + " --masks zip --out " + (folder / "x.h5")).code == 2);
}

TEST_CASE("rows of several tasks are predicted in one call") {
  const Folder folder;
  const std::string model = trained(folder), packed = folder / "packed.h5";
  converted(model + " --to sparse --batches 1 --out " + packed);
  constexpr Index kRows = 40;
  HostArray x(DType::F32, Shape{kRows, 2});
  for (Index i = 0; i < x.elements(); ++i) x.set_value(i, std::sin(static_cast<double>(i)));
  write_npy(folder / "x.npy", x);
  HostArray numbers(DType::I32, Shape{kRows});
  std::string names;
  std::vector<std::vector<Index>> rows(2);
  for (Index r = 0; r < kRows; ++r) {
    const Index task = r * r % 3 == 1 ? 1 : 0;
    numbers.set_value(r, static_cast<double>(task));
    names += task == 1 ? "b\n" : "a\n";
    rows[static_cast<std::size_t>(task)].push_back(r);
  }
  write_npy(folder / "tasks.npy", numbers);
  folder.write("tasks.txt", names);
  const auto predict = [&](const std::string& more) {
    const Ran ran = run_squall("predict " + packed + " " + more);
    INFO(ran.err);
    CHECK(ran.code == 0);
  };
  const std::string input = "--input " + (folder / "x.npy");
  predict(input + " --tasks " + (folder / "tasks.npy") + " --output " + (folder / "mixed.npy"));
  predict(input + " --tasks " + (folder / "tasks.txt") + " --output " + (folder / "named.npy"));
  predict(input + " --tasks " + (folder / "tasks.txt") + " --output " + (folder / "mixed.h5"));
  const HostArray mixed = read_npy(folder / "mixed.npy");
  CHECK(mixed.shape() == Shape{kRows, 3});
  CHECK(read_npy(folder / "named.npy") == mixed);
  const H5Reader file(std::filesystem::path(folder / "mixed.h5"));
  for (std::size_t t = 0; t < 2; ++t) {
    // the rows of the task alone
    const std::string task = t == 0 ? "a" : "b";
    HostArray own(DType::F32, Shape{static_cast<Index>(rows[t].size()), 2});
    for (std::size_t i = 0; i < rows[t].size(); ++i)
      for (Index c = 0; c < 2; ++c) own.set_value(static_cast<Index>(i) * 2 + c, x.value(rows[t][i] * 2 + c));
    write_npy(folder / "own.npy", own);
    predict("--input " + (folder / "own.npy") + " --task " + task + " --output " + (folder / "own_y.npy"));
    const HostArray y = read_npy(folder / "own_y.npy");
    for (std::size_t i = 0; i < rows[t].size(); ++i)
      for (Index c = 0; c < 3; ++c) CHECK(mixed.value(rows[t][i] * 3 + c) == y.value(static_cast<Index>(i) * 3 + c));
    CHECK(file.read("/" + task) == y);
    const HostArray which = file.read("/" + task + "_rows");
    for (std::size_t i = 0; i < rows[t].size(); ++i)
      CHECK(which.value(static_cast<Index>(i)) == static_cast<double>(rows[t][i]));
  }
  const auto refused = [&](const std::string& tasks, const std::string& says) {
    const Ran ran =
        run_squall("predict " + packed + " " + input + " --tasks " + tasks + " --output " + (folder / "y.npy"));
    INFO(ran.err);
    CHECK(ran.code == 1);
    CHECK(ran.err.find(says) != std::string::npos);
  };
  refused(folder.write("few.txt", "a\nb\n"), "2 rows");
  refused(folder.write("wrong.txt", "c\n" + names.substr(2)), "no task 'c'");
  numbers.set_value(3, 7);
  write_npy(folder / "seven.npy", numbers);
  refused(folder / "seven.npy", "row 3 belongs to task 7");
  CHECK(run_squall("predict " + packed + " " + input + " --task a --tasks " + (folder / "tasks.npy") + " --output " +
                   (folder / "y.npy"))
            .code == 2);
}

TEST_CASE("a packed model is measured against dense layer by layer") {
  const Folder folder;
  const std::string model = trained(folder), packed = folder / "packed.h5";
  converted(model + " --to sparse --batches 1 --out " + packed);
  const std::string bench = std::filesystem::path(SQUALL_PROGRAM).parent_path() / "squall-bench";
  if (!std::filesystem::exists(bench)) return;
  const Ran ran = run_squall(
      "--model " + packed + " --batches 1,4 --rounds 1 --table " + (folder / "t.md") + " --json " + (folder / "t.json"),
      "", bench.c_str());
  INFO(ran.err);
  REQUIRE(ran.code == 0);
  const json rows = json::parse(read_file(folder / "t.json"))["rows"];
  CHECK(rows.size() == 2 * (4 + 2 + 1));  // layers of each task, tasks, the network
  for (const auto& r : rows) {
    CHECK(r["checked"] == true);
    CHECK(r["ratio"].get<double>() > 0);
  }
  const std::string table = read_file(folder / "t.md");
  CHECK(table.find("| hidden.a |") != std::string::npos);
  CHECK(table.find("batch 4") != std::string::npos);
  CHECK(run_squall("--model " + model + " --json -", "", bench.c_str()).code == 1);  // not packed
}
