// Networks that brainstorm saved, as models; damaged files import nothing.
#include "squall/tools/import_network.hpp"

#include <filesystem>

#include "run_command.hpp"
#include "squall/core/json.hpp"
#include "squall/handlers/make_handler.hpp"
#include "squall/io/atomic_file.hpp"
#include "squall/io/h5_file.hpp"
#include "squall/io/npy.hpp"
#include "squall/tools/catalog.hpp"
#include "squall/tools/saved_model.hpp"
#include "support/catch.hpp"

using namespace squall;
using namespace squall::testing;

namespace {

std::string golden(const std::string& name) { return std::string(SQUALL_GOLDEN) + "/brainstorm/" + name; }

// What import says about a file of these bytes; empty when it imports it.
std::string refusal(const Folder& folder, const std::string& bytes) {
  static const Catalog catalog = make_catalog();
  const std::string path = folder.write("damaged.hdf5", bytes);
  try {
    import_network(path, catalog, nullptr);
    return "";
  } catch (const FileError& e) {
    return e.what();
  }
}

std::string saved(const json& description, const HostArray& parameters, const char* format = "Network file v1.0") {
  H5Writer file;
  file.attribute("/", "format", format);
  if (!description.is_null()) file.write_text("/description", description.dump());
  if (!parameters.empty()) file.write("/parameters", parameters);
  const Bytes bytes = file.finish();
  return std::string(text_of(bytes));
}

json mlp(const char* more = "{}") {
  json j = json::parse(more);
  j["@type"] = "Network";
  j["architecture"] = json::parse(R"({
    "Input": {"@type": "Input", "out_shapes": {"default": ["T", "B", 2], "targets": ["T", "B", 1]},
              "@outgoing_connections": {"default": ["B.default"], "targets": ["Output.targets"]}},
    "B": {"@type": "FullyConnected", "size": 2, "activation": "tanh", "@outgoing_connections": {"default": ["A.default"]}},
    "A": {"@type": "FullyConnected", "size": [1], "activation": "linear", "@outgoing_connections": {"default": ["Output.default"]}},
    "Output": {"@type": "SquaredError", "@outgoing_connections": {"loss": ["Loss.default"]}}, "Loss": {"@type": "Loss"}})");
  return j;
}

HostArray numbers(Index count) {
  HostArray a(DType::F64, Shape{count});
  for (Index i = 0; i < count; ++i) a.set_value(i, static_cast<double>(i) + 0.25);
  return a;
}

}  // namespace

TEST_CASE("networks of brainstorm are imported and predict what they predicted") {
  const Folder folder;
  const std::string model = folder / "m.h5";
  const Ran ran = run_squall("import " + golden("spec_mlp.network.hdf5") + " --out " + model + " --json");
  INFO(ran.err);
  REQUIRE(ran.code == 0);
  CHECK(json::parse(ran.out)["parameters"] == 270);
  const H5Reader recorded(golden("spec_mlp.h5"));
  const HostArray inputs = recorded.read("/inputs/default");
  const HostArray expected = recorded.read("/layers/Output/outputs/predictions");
  const Index rows = inputs.shape()[0] * inputs.shape()[1];
  write_npy(folder / "x.npy", inputs.reshaped(Shape{rows, inputs.shape()[2]}));
  const Ran predicted = run_squall("predict " + model + " --handler cpu:f64 --input " + (folder / "x.npy") +
                                   " --output " + (folder / "y.npy"));
  INFO(predicted.err);
  REQUIRE(predicted.code == 0);
  const HostArray y = read_npy(folder / "y.npy");
  REQUIRE(y.elements() == expected.elements());
  for (Index i = 0; i < y.elements(); ++i) CHECK(y.value(i) == Approx(expected.value(i)).epsilon(1e-9).margin(1e-11));
  CHECK(run_squall("info " + model).code == 0);
  CHECK(run_squall("draw " + model).code == 0);
}

TEST_CASE("parameters are imported in the order of the layers' names") {
  const Folder folder;
  const Catalog catalog = make_catalog();
  const std::string path = folder.write("n.hdf5", saved(mlp(), numbers(9)));
  const ImportedNetwork n = import_network(path, catalog, make_handler("cpu:f64"));
  const auto value = [&](const char* name, Index i) { return n.network->get(name).value(i); };
  CHECK(value("A.parameters.W", 0) == 0.25);
  CHECK(value("A.parameters.W", 1) == 1.25);
  CHECK(value("A.parameters.bias", 0) == 2.25);
  CHECK(value("B.parameters.W", 0) == 3.25);
  CHECK(value("B.parameters.W", 3) == 6.25);
  CHECK(value("B.parameters.bias", 1) == 8.25);
}

TEST_CASE("what a network file tells beside parameters is kept") {
  const Folder folder;
  const json description =
      mlp(R"({"handler": {"@type": "NumpyHandler", "dtype": "float64"}, "output_name": "Output.outputs.predictions",
    "initializers": {"default": {"@type": "Gaussian", "std": 0.4}}, "gradient_modifiers": {},
    "weight_modifiers": {"A": {"W": [{"@type": "ConstrainL2Norm", "limit": 0.5, "layer_name": "A", "view_name": "W"}]}}})");
  folder.write("n.hdf5", saved(description, numbers(9)));
  const Ran ran = run_squall("import " + (folder / "n.hdf5") + " --out " + (folder / "m.h5") + " --json");
  INFO(ran.err);
  REQUIRE(ran.code == 0);
  CHECK(json::parse(ran.out)["notes"].empty());
  const Catalog catalog = make_catalog();
  const SavedModel model(folder / "m.h5", catalog, make_handler("cpu:f64"));
  const json& e = model.description()["experiment"];
  CHECK(e["initialize"] == description["initializers"]);
  CHECK(e["train"]["weight_modifiers"] == json::parse(R"({"A": {"W": [{"@type": "ConstrainL2Norm", "limit": 0.5}]}})"));
  CHECK(model.tasks().at(0).output == "Output.predictions");
  CHECK(model.tasks().at(0).input == "default");
  CHECK(H5Reader(folder / "m.h5").info("/parameters/A/W").dtype == DType::F64);
}

TEST_CASE("an imported model can be told its data") {
  const Folder folder;
  REQUIRE(run_squall("data make spirals --examples 20 --test 10 --out " + (folder / "s.h5")).code == 0);
  const Ran ran = run_squall("import " + golden("softmax_ce.network.hdf5") + " --out " + (folder / "m.h5") +
                             R"( --reader '{"@type": "Hdf5", "path": "s.h5"}')");
  INFO(ran.err);
  CHECK(ran.code == 0);
  REQUIRE(run_squall("import " + golden("spec_mlp.network.hdf5") + " --out " + (folder / "m.h5")).code == 0);
  const Ran eval = run_squall("eval " + (folder / "m.h5") + " --data " + (folder / "."));
  CHECK(eval.code == 1);
  CHECK(eval.err.find("does not say what data") != std::string::npos);
}

TEST_CASE("damaged network files import nothing and say why in one line") {
  const Folder folder;
  const std::string whole = read_file(golden("spec_mlp.network.hdf5"));
  REQUIRE(refusal(folder, whole).empty());
  const auto one_line = [](const std::string& text) {
    INFO(text);
    CHECK(text.find("damaged.hdf5") != std::string::npos);
    CHECK(text.find("nothing was imported") != std::string::npos);
    CHECK(text.find('\n') == std::string::npos);
  };
  for (const std::size_t length : {std::size_t{0}, std::size_t{100}, whole.size() / 2, whole.size() - 1})
    one_line(refusal(folder, whole.substr(0, length)));
  const auto changed = [&](std::size_t at) {
    std::string bytes = whole;
    bytes[at] = static_cast<char>(bytes[at] ^ 0x41);
    return refusal(folder, bytes);
  };
  const auto packed = whole.find("\x78\x5e");  // the parameters, compressed
  REQUIRE(packed != std::string::npos);
  one_line(changed(packed + 50));
  one_line(changed(whole.find("architecture") + 2));
  int refused = 0;
  for (std::size_t at = 0; at < whole.size(); at += 61) {
    const std::string text = changed(at);  // whatever comes of it, it is no crash
    if (text.empty()) continue;
    ++refused;
    one_line(text);
  }
  CHECK(refused > 10);
}

TEST_CASE("networks of every kind that are cut off or changed anywhere import wholly or not at all") {
  const Folder folder;
  const Catalog catalog = make_catalog();
  for (const char* name : {"lstm_tanh", "convolution2d_1", "batch_norm_nhwc", "weight_decay_losses"}) {
    const std::string whole = read_file(golden(name + std::string(".network.hdf5")));
    INFO(name);
    REQUIRE(refusal(folder, whole).empty());
    for (std::size_t part = 1; part < 16; ++part) {
      const std::string told = refusal(folder, whole.substr(0, whole.size() * part / 16));
      CHECK(told.find("nothing was imported") != std::string::npos);
    }
    for (std::size_t at = 7; at < whole.size(); at += whole.size() / 60) {
      std::string bytes = whole;
      bytes[at] = static_cast<char>(bytes[at] ^ (1 << (at % 8)));
      const std::string path = folder.write("flipped.hdf5", bytes);
      try {  // what is not told by a check of HDF5 or of ours is a whole network
        const ImportedNetwork imported = import_network(path, catalog, nullptr);
        CHECK(imported.network->parameter_count() ==
              import_network(golden(name + std::string(".network.hdf5")), catalog, nullptr).network->parameter_count());
      } catch (const FileError& e) {
        CHECK(std::string(e.what()).find("nothing was imported") != std::string::npos);
      }
    }
  }
}

TEST_CASE("network files that lack something or do not fit are refused") {
  const Folder folder;
  const auto says = [&](const std::string& bytes, const char* text) {
    const std::string told = refusal(folder, bytes);
    INFO(told);
    CHECK(told.find(text) != std::string::npos);
    CHECK(told.find('\n') == std::string::npos);
  };
  says("not HDF5 at all", "damaged.hdf5");
  says(saved(json(), numbers(9)), "has no dataset 'description'");
  says(saved(mlp(), HostArray()), "has no dataset 'parameters'");
  says(saved(mlp(), numbers(8)), "has 8 numbers, but the network has 9 parameters");
  says(saved(mlp(), numbers(10)), "has 10 numbers, but the network has 9 parameters");
  says(saved(mlp(), numbers(9), "Logs file v1.0"), "its format is 'Logs file v1.0'");
  json unknown = mlp();
  unknown["architecture"]["A"]["@type"] = "FulyConnected";
  unknown["architecture"]["B"]["sise"] = 3;
  says(saved(unknown, numbers(9)), "did you mean 'FullyConnected'");
  says(saved(json{{"@type", "Trainer"}}, numbers(9)), "has no architecture");
}

TEST_CASE("a refused network file leaves no model behind") {
  const Folder folder;
  folder.write("d.hdf5", saved(mlp(), numbers(8)));
  const Ran ran = run_squall("import " + (folder / "d.hdf5") + " --out " + (folder / "m.h5"));
  CHECK(ran.code == 1);
  CHECK(ran.out.empty());
  CHECK(std::count(ran.err.begin(), ran.err.end(), '\n') == 1);
  CHECK_FALSE(std::filesystem::exists(folder / "m.h5"));
}
