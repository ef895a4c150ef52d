// Parameters as one vector in brainstorm's order, against vectors that brainstorm recorded.
#include "squall/core/flat_parameters.hpp"

#include <filesystem>

#include "squall/core/json.hpp"
#include "squall/handlers/make_handler.hpp"
#include "squall/io/h5_file.hpp"
#include "support/catch.hpp"
#include "tools/tool_catalog.hpp"

using namespace squall;
using squall::testing::catalog;

namespace {

std::unique_ptr<Network> recorded(const H5Reader& file) {
  return std::make_unique<Network>(Architecture::from_json(json::parse(file.text("/architecture"))), catalog(),
                                   make_handler("cpu:f64"));
}

// The recorded tensors of `category`, layer after layer in the order of their names.
std::vector<double> side_by_side(const H5Reader& file, const Network& network, const std::string& category) {
  std::vector<double> out;
  for (const FlatPiece& piece : flat_order(network.graph())) {
    const auto part = file.read("/layers/" + piece.layer + "/" + category + "/" + piece.name).doubles();
    out.insert(out.end(), part.begin(), part.end());
  }
  return out;
}

}  // namespace

TEST_CASE("flat parameters go in and out in the order of brainstorm") {
  int networks = 0;
  for (const auto& entry : std::filesystem::directory_iterator(std::string(SQUALL_GOLDEN) + "/brainstorm")) {
    if (entry.path().extension() != ".h5") continue;
    const H5Reader file(entry.path().string());
    const auto network = recorded(file);
    const HostArray before = file.read("/flat_parameters_before");
    if (before.elements() == 0) continue;
    INFO(entry.path().filename().string());
    ++networks;
    set_flat_parameters(*network, before);
    CHECK(flat_parameters(*network).doubles() == before.doubles());
    // What brainstorm stores by layer is the same numbers; only statistics move in a pass.
    if (entry.path().filename().string().find("batch") == std::string::npos)
      CHECK(side_by_side(file, *network, "parameters") == before.doubles());
  }
  CHECK(networks > 20);
}

TEST_CASE("flat gradients are those of brainstorm") {
  const H5Reader file(std::string(SQUALL_GOLDEN) + "/brainstorm/spec_mlp.h5");
  const auto network = recorded(file);
  set_flat_parameters(*network, file.read("/flat_parameters_before"));
  Batch batch;
  for (const auto& name : file.children("/inputs")) batch.fields.emplace_back(name, file.read("/inputs/" + name));
  network->provide(batch);
  network->forward(Mode::Train);
  network->backward();
  const auto ours = flat_gradients(*network).doubles();
  const auto theirs = side_by_side(file, *network, "gradients");
  REQUIRE(ours.size() == theirs.size());
  for (std::size_t i = 0; i < ours.size(); ++i) CHECK(ours[i] == Approx(theirs[i]).epsilon(1e-9).margin(1e-11));
}

TEST_CASE("statistics of BatchNorm have their place in the flat vector") {
  const json net = json::parse(R"({
    "Input": {"@type": "Input", "out_shapes": {"default": ["T", "B", 2]}, "@outgoing_connections": ["Z"]},
    "Z": {"@type": "FullyConnected", "size": 1, "@outgoing_connections": ["B"]},
    "B": {"@type": "BatchNorm", "@outgoing_connections": ["Loss"]}, "Loss": {"@type": "Loss"}})");
  Network network(Architecture::from_json(net), catalog(), make_handler("cpu:f32"));
  std::vector<std::string> names;
  for (const FlatPiece& piece : flat_order(network.graph())) names.push_back(piece.layer + "." + piece.name);
  CHECK(names == std::vector<std::string>{"B.gamma", "B.beta", "B.mu", "B.sigma", "Z.W", "Z.bias"});
  const std::vector<double> values{1, 2, 3, 4, 5, 6, 7};
  set_flat_parameters(network, HostArray::of(Shape{7}, values));
  CHECK(flat_parameters(network).doubles() == values);
  CHECK(network.get("B.state.sigma").value(0) == 4);
  CHECK(network.get("Z.parameters.W").doubles() == std::vector<double>{5, 6});
  try {
    set_flat_parameters(network, HostArray::of(Shape{6}, std::vector<double>(6)));
    FAIL_CHECK("a vector of another length was taken");
  } catch (const DataError& e) {
    CHECK(std::string(e.what()) == "the flat vector has 6 numbers, but the network has 7 parameters");
  }
}
