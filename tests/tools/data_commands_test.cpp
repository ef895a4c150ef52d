// squall data convert, split and shuffle, squall extract, and training from files that are not loaded.
#include "run_command.hpp"
#include "squall/core/json.hpp"
#include "squall/handlers/make_handler.hpp"
#include "squall/io/h5_file.hpp"
#include "squall/tools/block_minibatches.hpp"
#include "squall/tools/catalog.hpp"
#include "squall/tools/extract_buffers.hpp"
#include "squall/tools/saved_model.hpp"
#include "support/catch.hpp"

using namespace squall;
using namespace squall::testing;

namespace {

// A quick experiment on a file of spirals in the folder, with more options of its reader.
std::string spirals(const std::string& more) {
  return R"({"network": {"@spec": "Ft16 F8", "in_shape": 2, "out_shape": 2}, "seed": 2,
    "data": {"one": {"@type": "Hdf5", "path": "s.h5")" +
         more + R"(}}, "train": {"stepper": {"@type": "Adam"}, "batch_size": 20, "max_epochs": 2,
           "hooks": [{"@type": "MonitorScores"}]}})";
}

Ran train(const Folder& folder, const std::string& more, const std::string& run) {
  folder.write("e.json", spirals(more));
  return run_squall("train " + (folder / "e.json") + " --quiet --data " + (folder / ".") + " --out " + (folder / run));
}

json report(const Folder& folder, const std::string& run) {
  return json::parse(read_file(folder / (run + "/report.json")));
}

class Counted final : public StoredSplit {
 public:
  Index examples() const override { return 1000; }
  Index bytes_per_example() const override { return 4; }
  Split read(Index first, Index count) const override {
    ++reads;
    HostArray a(DType::F32, Shape{count, 1});
    for (Index i = 0; i < count; ++i) a.set_value(i, static_cast<double>(first + i));
    return {{"default", a}};
  }
  mutable int reads = 0;
};

}  // namespace

TEST_CASE("an experiment may give its network as a spec") {
  const Folder folder;
  REQUIRE(run_squall("data make spirals --examples 200 --test 50 --out " + (folder / "s.h5")).code == 0);
  const Ran ran = train(folder, R"(, "validation": 0.2)", "run");
  INFO(ran.err);
  REQUIRE(ran.code == 0);
  const json written = json::parse(read_file(folder / "run/experiment.json"));
  CHECK(written["network"]["FullyConnected_1"]["activation"] == "tanh");
  CHECK(written["initialize"]["FullyConnected_2"]["scale"] == "rel");
  CHECK(report(folder, "run")["parameters"] == 2 * 16 + 16 + 16 * 8 + 8 + 8 * 2 + 2);
  folder.write("bad.json",
               R"({"network": {"@spec": "F16 q", "in_shape": 2, "out_shape": 2}, "data": {"one": {"@type": "Hdf5",
    "path": "s.h5"}}, "train": {"max_epochs": 1}})");
  const Ran bad = run_squall("train " + (folder / "bad.json"));
  CHECK(bad.code == 1);
  CHECK(bad.err.find("position 5") != std::string::npos);
}

TEST_CASE("layout and draw take a network spec") {
  const Folder folder;
  const std::string spec = R"('{"@spec": "C8:3p1 P2s2 F16", "in_shape": [8, 8, 1], "out_shape": 4}')";
  const Ran layout = run_squall("layout " + spec + " --batch 5 --json");
  INFO(layout.err);
  REQUIRE(layout.code == 0);
  CHECK(json::parse(layout.out)["parameter_bytes"].get<Index>() > 0);
  const Ran draw = run_squall("draw " + spec);
  CHECK(draw.code == 0);
  CHECK(draw.out.find("Convolution2D") != std::string::npos);
  folder.write("n.json", R"({"network": {"@spec": "F3", "in_shape": 4, "out_shape": 2}})");
  CHECK(run_squall("draw " + (folder / "n.json")).out.find("Output_projection") != std::string::npos);
}

TEST_CASE("training from a file that is not loaded gives what it should") {
  const Folder folder;
  REQUIRE(run_squall("data make spirals --examples 300 --test 60 --out " + (folder / "s.h5")).code == 0);
  const std::string in_order = R"(, "lazy": true, "validation": 0.2)";
  REQUIRE(train(folder, R"(, "validation": 0.2)", "loaded").code == 0);
  const Ran ran = train(folder, in_order, "stored");
  INFO(ran.err);
  REQUIRE(ran.code == 0);
  // Other batches, the same examples: about the same scores; and the same again.
  CHECK(report(folder, "stored")["tasks"]["default"]["loss"].get<double>() ==
        Approx(report(folder, "loaded")["tasks"]["default"]["loss"].get<double>()).epsilon(0.2));
  REQUIRE(train(folder, in_order, "again").code == 0);
  CHECK(report(folder, "again")["tasks"] == report(folder, "stored")["tasks"]);
}

TEST_CASE("stored data are read block by block and few blocks are kept") {
  const auto split = std::make_shared<Counted>();
  BlockMinibatches in_order(split, false, {{"default", "x"}}, {.batch_size = 30, .shuffle = false, .block = 10});
  Batch batch;
  double next = 0;
  Index batches = 0;
  while (in_order.next(batch)) {
    ++batches;
    CHECK(batch.fields[0].first == "x");
    for (Index i = 0; i < batch.fields[0].second.elements(); ++i) CHECK(batch.fields[0].second.value(i) == next++);
    CHECK(in_order.bytes_kept() <= 8 * 10 * sizeof(float));
  }
  CHECK(next == 1000);
  CHECK(batches == in_order.batches());
  CHECK(split->reads == 100);  // each block once

  split->reads = 0;
  BlockMinibatches shuffled(split, false, {{"default", "x"}}, {.batch_size = 30, .seed = 4, .block = 10});
  const auto pass = [&](Index epoch) {
    std::vector<double> all;
    shuffled.restart(epoch);
    while (shuffled.next(batch)) {
      const auto values = batch.fields[0].second.doubles();
      all.insert(all.end(), values.begin(), values.end());
      CHECK(shuffled.bytes_kept() <= 8 * 10 * sizeof(float));
    }
    return all;
  };
  const auto first = pass(0);
  CHECK(split->reads <= 101);
  const auto second = pass(1);
  CHECK(first != second);
  CHECK(pass(0) == first);
  auto sorted = first;
  std::sort(sorted.begin(), sorted.end());
  for (std::size_t i = 0; i < sorted.size(); ++i) CHECK(sorted[i] == static_cast<double>(i));
  shuffled.restart(1, 3);
  REQUIRE(shuffled.next(batch));
  CHECK(batch.fields[0].second.value(0) == second[90]);
}

TEST_CASE("data are split and shuffled by commands") {
  const Folder folder;
  REQUIRE(run_squall("data make spirals --examples 45 --test 7 --out " + (folder / "s.h5")).code == 0);
  const Ran split = run_squall("data split " + (folder / "s.h5") + " --names training,validation --out " +
                               (folder / "t.h5") + " --json");
  INFO(split.err);
  REQUIRE(split.code == 0);
  CHECK(json::parse(split.out)["examples"] == json{{"test", 7}, {"training", 40}, {"validation", 5}});
  const H5Reader before(folder / "s.h5");
  const H5Reader parts(folder / "t.h5");
  CHECK(parts.read_part("/normalized_split/validation/targets", 1, 0, 1).value(0) ==
        before.read("/normalized_split/training/targets").value(40));
  REQUIRE(run_squall("data shuffle " + (folder / "s.h5") + " --seed 3 --out " + (folder / "u.h5")).code == 0);
  const H5Reader shuffled(folder / "u.h5");
  const HostArray points = before.read("/normalized_split/training/default");
  const HostArray labels = before.read("/normalized_split/training/targets");
  const HostArray now = shuffled.read("/normalized_split/training/default");
  bool moved = false;
  for (Index n = 0; n < 45; ++n) {
    Index from = 0;
    while (from < 44 && points.value(2 * from) != now.value(2 * n)) ++from;
    CHECK(points.value(2 * from + 1) == now.value(2 * n + 1));
    CHECK(labels.value(from) == shuffled.read("/normalized_split/training/targets").value(n));
    moved = moved || from != n;
  }
  CHECK(moved);
  const Ran bad =
      run_squall("data split " + (folder / "s.h5") + " --from trainin --names a,b --out " + (folder / "v.h5"));
  CHECK(bad.code == 1);
  CHECK(bad.err.find("did you mean 'training'") != std::string::npos);
}

TEST_CASE("text is converted by a command and read back") {
  const Folder folder;
  std::string text;
  for (int i = 0; i < 2000; ++i) text += static_cast<char>('a' + i % 17);
  folder.write("t.txt", text);
  const Ran ran = run_squall("data convert text " + (folder / "t.txt") + " --length 10 --strands 5 --out " +
                             (folder / "t.h5") + " --json");
  INFO(ran.err);
  REQUIRE(ran.code == 0);
  CHECK(json::parse(ran.out)["examples"]["training"] == 180);
  const Ran shown = run_squall("data inspect '{\"@type\": \"Hdf5\", \"path\": \"" + (folder / "t.h5") +
                               "\", \"group\": \"split\"}' --data / --json");
  INFO(shown.err);
  REQUIRE(shown.code == 0);
  CHECK(json::parse(shown.out)["classes"] == 17);
  CHECK(run_squall("data convert text --out " + (folder / "x.h5")).code == 1);
  CHECK(run_squall("data convert mnist " + (folder / "none") + " --out " + (folder / "x.h5")).err.find("none") !=
        std::string::npos);
}

TEST_CASE("buffers of a model are extracted for every example") {
  const Folder folder;
  REQUIRE(run_squall("data make spirals --examples 100 --test 25 --out " + (folder / "s.h5")).code == 0);
  REQUIRE(train(folder, R"(, "validation": 0.2)", "run").code == 0);
  const std::string model = folder / "run/model.h5";
  const std::string command =
      "extract " + model + " --data " + (folder / ".") + " --batch 10 --out " + (folder / "b.h5");
  const Ran ran = run_squall(command + " --buffers FullyConnected_1.outputs.default,Output.outputs.predictions," +
                             "Input.outputs.default,FullyConnected_1.parameters.W --json");
  INFO(ran.err);
  REQUIRE(ran.code == 0);
  CHECK(json::parse(ran.out)["examples"] == 25);
  const H5Reader file(folder / "b.h5");
  CHECK(file.attribute_text("/", "format") == "Buffers file v1.0");
  CHECK(file.shape("/FullyConnected_1.outputs.default") == Shape{1, 25, 16});
  CHECK(file.shape("/Output.outputs.predictions") == Shape{1, 25, 2});
  CHECK(file.shape("/FullyConnected_1.parameters.W") == Shape{16, 2});
  const HostArray inputs = H5Reader(folder / "s.h5").read("/normalized_split/test/default");
  CHECK(file.read("/Input.outputs.default").doubles() == inputs.doubles());

  const Catalog catalog = make_catalog();
  NetworkOptions options;
  options.memory = MemoryMode::Inspectable;
  SavedModel saved(model, catalog, make_handler("cpu"), options);
  ExperimentData data = saved.data(folder / ".");
  const auto batches = data.scoring("default", "test", 7);
  const auto all = extract(saved.network(), *batches, {"Output.outputs.predictions"});
  const HostArray predictions = file.read("/Output.outputs.predictions");
  for (Index i = 0; i < predictions.elements(); ++i)
    CHECK(all.at("Output.outputs.predictions").value(i) == Approx(predictions.value(i)).margin(1e-6));

  const Ran bad = run_squall(command + " --buffers FullyConnected_3.outputs.default");
  CHECK(bad.code == 1);
  CHECK(bad.err.find("FullyConnected_") != std::string::npos);
  CHECK(run_squall(command + " --buffers Output.outputs.prediction").err.find("predictions") != std::string::npos);
  CHECK(run_squall(command + " --buffers Output").code == 1);
}
