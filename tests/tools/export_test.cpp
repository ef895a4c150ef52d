// Networks saved as brainstorm saves them, and what others read in our files.
#include <filesystem>

#include "run_command.hpp"
#include "squall/core/flat_parameters.hpp"
#include "squall/core/json.hpp"
#include "squall/handlers/make_handler.hpp"
#include "squall/io/h5_file.hpp"
#include "squall/io/model_file.hpp"
#include "squall/tools/import_network.hpp"
#include "support/catch.hpp"
#include "tools/tool_catalog.hpp"

using namespace squall;
using namespace squall::testing;

namespace {

std::unique_ptr<Network> small() {
  const json net = json::parse(R"({
    "Input": {"@type": "Input", "out_shapes": {"default": ["T", "B", 3], "targets": ["T", "B", 1]},
              "@outgoing_connections": {"default": ["Hid"], "targets": ["Output.targets"]}},
    "Hid": {"@type": "Lstm", "size": 2, "@outgoing_connections": ["Norm"]},
    "Norm": {"@type": "BatchNorm", "@outgoing_connections": ["Proj"]},
    "Proj": {"@type": "FullyConnected", "size": 4, "activation": "linear", "@outgoing_connections": ["Output"]},
    "Output": {"@type": "SoftmaxCE", "@outgoing_connections": {"loss": ["Loss"]}}, "Loss": {"@type": "Loss"}})");
  auto network = std::make_unique<Network>(Architecture::from_json(net), catalog(), make_handler("cpu:f64"));
  network->initialize({{"default", {{"@type", "Gaussian"}, {"std", 0.5}}}}, 3);
  network->set_weight_modifiers({{"Proj", {{"W", {{"@type", "ConstrainL2Norm"}, {"limit", 0.5}}}}}});
  network->set_gradient_modifiers({{"Hid", {{"W*", {{"@type", "L2Decay"}, {"factor", 0.25}}}}}});
  network->set_output_name("Output.outputs.predictions");
  return network;
}

// What a Python script prints when it runs in the folder; nothing where there is no h5py.
std::string python(const Folder& folder, const std::string& script) {
  if (std::system("/usr/bin/python3 -c 'import h5py' >/dev/null 2>&1") != 0) return "";
  folder.write("script.py", script);
  const std::string command = "cd '" + (folder / ".") + "' && /usr/bin/python3 script.py > said.txt 2>&1";
  static_cast<void>(std::system(command.c_str()));
  return read_file(folder / "said.txt");
}

}  // namespace

TEST_CASE("a network saved as brainstorm saves it comes back the same") {
  const Folder folder;
  const auto network = small();
  save_as_hdf5(*network, folder / "n.hdf5", "after all");
  const ImportedNetwork back = import_network(folder / "n.hdf5", catalog(), nullptr);
  CHECK(back.notes.empty());
  CHECK(back.network->handler().name() == "cpu:f64");
  CHECK(back.network->architecture().to_json() == network->architecture().to_json());
  CHECK(flat_parameters(*back.network) == flat_parameters(*network));
  for (const char* key : {"initializers", "weight_modifiers", "gradient_modifiers", "output_name"})
    CHECK(back.network->describe()[key] == network->describe()[key]);
  CHECK(back.description["imported_from"]["comment"] == "after all");
  CHECK(back.description["experiment"]["tasks"]["default"]["output"] == "Output.predictions");
}

TEST_CASE("every recorded network that is saved again is the same network") {
  const Folder folder;
  int networks = 0;
  for (const auto& entry : std::filesystem::directory_iterator(std::string(SQUALL_GOLDEN) + "/brainstorm")) {
    if (!entry.path().string().ends_with(".network.hdf5")) continue;
    INFO(entry.path().filename().string());
    ++networks;
    const ImportedNetwork first = import_network(entry.path(), catalog(), nullptr);
    save_as_hdf5(*first.network, folder / "again.hdf5");
    const ImportedNetwork second = import_network(folder / "again.hdf5", catalog(), nullptr);
    CHECK(second.notes == first.notes);
    CHECK(flat_parameters(*second.network) == flat_parameters(*first.network));
    CHECK(second.network->describe()["architecture"] == first.network->describe()["architecture"]);
    CHECK(second.network->describe()["initializers"] == first.network->describe()["initializers"]);
  }
  CHECK(networks > 20);
}

TEST_CASE("h5py reads attributes and description and parameters of saved networks and models") {
  const Folder folder;
  const auto network = small();
  save_as_hdf5(*network, folder / "n.hdf5", "after all");
  save_model(folder / "m.h5", *network, {{"experiment", {{"seed", 3}}}}, 0);
  const std::string said = python(folder, R"(
import h5py, json
def text(x): return x.decode() if isinstance(x, bytes) else x
f = h5py.File('n.hdf5', 'r')
print(text(f.attrs['info']), '|', text(f.attrs['format']), '|', text(f.attrs['comment']))
d = json.loads(text(f['description'][()]))
print(d['@type'], d['handler']['dtype'], d['output_name'], sorted(d['architecture']))
print(f['description'].shape, f['parameters'].shape, f['parameters'].dtype, f['parameters'].compression)
m = h5py.File('m.h5', 'r')
print(text(m.attrs['format']), m.attrs['format_version'], sorted(json.loads(text(m['description'][()]))))
print(sorted(m['parameters/Hid'])[:3], m['parameters/Proj/W'].shape, m['state/Norm/mu'].shape)
print(bool((m['parameters/Proj/bias'][:] == f['parameters'][-4:]).all()))
)");
  if (said.empty()) {
    WARN("no /usr/bin/python3 with h5py: what it reads is not checked");
    return;
  }
  INFO(said);
  const auto expect = [&](const std::string& line) { CHECK(said.find(line + "\n") != std::string::npos); };
  expect("Created with squall | Network file v1.0 | after all");
  expect("Network float64 Output.outputs.predictions ['Hid', 'Input', 'Loss', 'Norm', 'Output', 'Proj']");
  const Index count = flat_parameters(*network).elements();
  expect("() (" + std::to_string(count) + ",) float64 None");  // little data is not compressed
  expect("squall model 1 ['architecture', 'experiment']");
  expect("['Rf', 'Ri', 'Ro'] (4, 2) (2,)");
  expect("True");
}

TEST_CASE("a network is saved whole or not at all") {
  const Folder folder;
  const auto network = small();
  folder.write("n.hdf5", "before");
  CHECK_THROWS_AS(save_as_hdf5(*network, folder / "missing/n.hdf5"), FileError);
  save_as_hdf5(*network, folder / "n.hdf5");
  CHECK_FALSE(H5Reader(folder / "n.hdf5").has_attribute("/", "comment"));
}
