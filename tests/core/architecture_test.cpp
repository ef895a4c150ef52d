// Architectures as JSON and wired in C++: what is accepted, and what is said about every mistake.
#include "squall/core/architecture.hpp"

#include <algorithm>

#include "support/catch.hpp"
#include "support/graph_checks.hpp"

using namespace squall;
using graph_test::contains;
using graph_test::count_of;
using graph_test::message_of;

namespace {

json valid() {
  return json::parse(R"({
    "Input": {"@type": "Input", "out_shapes": {"default": ["T", "B", 3], "targets": ["T", "B", 1]},
              "@outgoing_connections": {"default": ["Hid"], "targets": ["Criterion.targets"]}},
    "Hid": {"@type": "FullyConnected", "size": 4, "@outgoing_connections": ["Criterion"]},
    "Criterion": {"@type": "SoftmaxCE", "@outgoing_connections": {"loss": ["Loss"]}},
    "Loss": {"@type": "Loss"}
  })");
}
std::string error_of(const json& j) {
  return message_of([&] { Architecture::from_json(j); });
}
// valid() with one change.
template <class F>
std::string error_with(F&& change) {
  json j = valid();
  change(j);
  return error_of(j);
}

}  // namespace

TEST_CASE("an architecture is read from JSON") {
  const auto a = Architecture::from_json(valid());
  REQUIRE(a.layers().size() == 4);
  CHECK(a.layers()[1].name == "Hid");
  CHECK(a.layers()[1].type == "FullyConnected");
  CHECK(a.layers()[1].options == json{{"size", 4}});
  CHECK(a.connections() == std::vector<Connection>{{"Input", "default", "Hid", "default"},
                                                   {"Input", "targets", "Criterion", "targets"},
                                                   {"Hid", "default", "Criterion", "default"},
                                                   {"Criterion", "loss", "Loss", "default"}});
  CHECK(a.find("Hid") == &a.layers()[1]);
  CHECK(a.find("hid") == nullptr);
}

TEST_CASE("an architecture survives a round trip through JSON") {
  const auto a = Architecture::from_json(valid());
  const json written = a.to_json();
  const auto b = Architecture::from_json(written);
  CHECK(b.connections() == a.connections());
  CHECK(b.to_json() == written);
  CHECK(written["Hid"]["size"] == 4);
  CHECK(written["Hid"]["@outgoing_connections"] == json{{"default", {"Criterion.default"}}});
  CHECK(written["Loss"]["@outgoing_connections"] == json::object());
  CHECK(Architecture::from_json(json::parse(written.dump())).to_json() == written);
}

TEST_CASE("the same connection written twice is one connection") {
  json j = valid();
  j["Hid"]["@outgoing_connections"] = {"Criterion", "Criterion.default", "Criterion"};
  CHECK(Architecture::from_json(j).connections().size() == 4);
}

TEST_CASE("connections may leave from a parameter") {
  json j = valid();
  j["Hid"]["@outgoing_connections"] = {{"default", {"Criterion"}}, {"..parameters.W", {"Loss"}}};
  const auto a = Architecture::from_json(j);
  CHECK(a.connections()[3] == Connection{"Hid", "..parameters.W", "Loss", "default"});
}

TEST_CASE("names of layers are checked") {
  for (const char* name : {"1st", "a-b", "a b", "", "a.b", "\xc3\xa4", "a*"}) {
    INFO("name '" << name << "'");
    CHECK(contains(error_with([&](json& j) {
                     j[name] = {{"@type", "Loss"}};
                   }),
                   "a layer's name consists of letters, digits and _ and does not begin with a digit"));
  }
  for (const char* name : {"default", "fallback", "parameters", "gradients", "total_loss"})
    CHECK(error_with([&](json& j) {
            j[name] = {{"@type", "Loss"}};
          }) == concat("network.", name, ": '", name, "' cannot be the name of a layer"));
  CHECK(error_with([](json& j) { j["_x1"] = {{"@type", "Loss"}}; }) == "no error");
}

TEST_CASE("a layer needs a type and must be an object") {
  CHECK(error_with([](json& j) { j["Hid"].erase("@type"); }) == "network.Hid: has no '@type'");
  CHECK(error_with([](json& j) { j["Hid"]["@type"] = 3; }) ==
        "network.Hid: '@type' should be a text like \"FullyConnected\", not 3");
  CHECK(error_with([](json& j) { j["Hid"] = "FullyConnected"; }) == "network.Hid: should be an object, not string");
  CHECK(error_of(json::array()) == "network: should be an object of layers, not array");
  CHECK(error_of(3) == "network: should be an object of layers, not number");
}

TEST_CASE("keys with @ that nobody knows are rejected") {
  CHECK(error_with([](json& j) { j["Hid"]["@outgoing_conections"] = {"Loss"}; }) ==
        "network.Hid: unknown key '@outgoing_conections'; known are @type, @outgoing_connections and @masks");
}

TEST_CASE("connections must be lists of targets") {
  const auto with = [](const json& connections) {
    return error_with([&](json& j) { j["Hid"]["@outgoing_connections"] = connections; });
  };
  CHECK(with("Criterion") ==
        "network.Hid.@outgoing_connections: should be a list of targets or an object of lists, not string");
  CHECK(with(3) == "network.Hid.@outgoing_connections: should be a list of targets or an object of lists, not number");
  CHECK(with({3}) == "network.Hid.@outgoing_connections.default: a target should be a text, not 3");
  CHECK(with({{"default", "Criterion"}}) ==
        "network.Hid.@outgoing_connections.default: should be a list of \"Layer\" or \"Layer.input\"");
  CHECK(error_with([](json& j) { j["Loss"]["@outgoing_connections"] = json::array(); }) == "no error");
}

TEST_CASE("a target that does not exist is told with the nearest") {
  CHECK(error_with([](json& j) { j["Hid"]["@outgoing_connections"] = {"Criterium"}; }) ==
        "network.Hid.@outgoing_connections: target layer 'Criterium' does not exist; did you mean 'Criterion'?");
  CHECK(error_with([](json& j) { j["Hid"]["@outgoing_connections"] = {"Zzzzzzzzzzzz.x"}; }) ==
        "network.Hid.@outgoing_connections: target layer 'Zzzzzzzzzzzz' does not exist");
}

TEST_CASE("there must be one Input, and nothing goes into it") {
  CHECK(error_with([](json& j) { j.erase("Input"); }) == "network: there is no layer 'Input' of type Input");
  CHECK(error_with([](json& j) { j["Input"]["@type"] = "Loss"; }) ==
        "network.Input: should be of type Input, not Loss");
  CHECK(error_with([](json& j) {
          j["More"] = {{"@type", "Input"}};
        }) == "network.More: a layer of type Input must be named Input, and there is only one");
  CHECK(error_with([](json& j) {
          j["Hid"]["@outgoing_connections"] = {"Criterion", "Input"};
        }) == "network.Hid.@outgoing_connections: nothing can be connected into Input");
  CHECK(error_of(json::object()) == "network: there is no layer 'Input' of type Input");
}

TEST_CASE("a layer that cannot be read does not make its name unknown") {
  CHECK(error_with([](json& j) { j["Criterion"].erase("@type"); }) == "network.Criterion: has no '@type'");
  CHECK(error_with([](json& j) { j["Input"].erase("@type"); }) == "network.Input: has no '@type'");
}

TEST_CASE("all problems of an architecture are told together") {
  const auto text = error_with([](json& j) {
    j["default"] = {{"@type", "Loss"}};
    j["Hid"]["@outgoing_connections"] = {"Criterium", 7};
    j["Loss"].erase("@type");
    j["Criterion"]["@other"] = 1;
  });
  CHECK(text.starts_with("the network cannot be used: 5 problems\n"));
  CHECK(count_of(text, "\n  network.") == 5);
}

TEST_CASE("the place of an architecture is in front of its problems") {
  json j = valid();
  j["Hid"].erase("@type");
  CHECK(message_of([&] { Architecture::from_json(j, "experiment.network"); }) ==
        "experiment.network.Hid: has no '@type'");
  CHECK(message_of([&] { Architecture::from_json(j, ""); }) == "Hid: has no '@type'");
}

TEST_CASE("wiring in C++ gives the same as JSON") {
  Architecture a;
  a.input({{"default", {"T", "B", 3}}, {"targets", {"T", "B", 1}}});
  a["Input.default"] >> a.add("Hid", "FullyConnected", {{"size", 4}}) >> a.add("Criterion", "SoftmaxCE");
  a["Input.targets"] >> a["Criterion.targets"];
  a["Criterion.loss"] >> a.add("Loss", "Loss");
  const auto from_json = Architecture::from_json(valid());
  auto wired = a.connections();
  auto read = from_json.connections();
  std::ranges::sort(wired);
  std::ranges::sort(read);
  CHECK(wired == read);
  CHECK(Architecture::from_json(a.to_json()).to_json() == from_json.to_json());
}

TEST_CASE("ports are named from both sides with -, which binds tighter than >>") {
  Architecture a;
  const Port x = a.input({{"default", {"T", "B", 3}}});
  const Port h = a.add("H", "Highway");
  const Port m = a.add("M", "Merge");
  x - "default" >> "H" - h - "gate" >> "inputs_2" - m;
  x >> "gate" - h - "gate" >> m;
  CHECK(a.connections() == std::vector<Connection>{{"Input", "default", "H", "H"},
                                                   {"H", "gate", "M", "inputs_2"},
                                                   {"Input", "default", "H", "gate"},
                                                   {"H", "gate", "M", "default"}});
}

TEST_CASE("a chain goes on from the default output of a named input") {
  Architecture a;
  a.input({{"default", {"T", "B", 3}}});
  a.add("M", "Mask");
  a.add("N", "NoOp");
  a["Input"] >> a["M.mask"] >> a["N"];
  a["M.mask"] - "other" >> a["N.x"];
  "in" - a["M.mask"] >> a["N.y"];
  CHECK(a.connections() == std::vector<Connection>{{"Input", "default", "M", "mask"},
                                                   {"M", "default", "N", "default"},
                                                   {"M", "other", "N", "x"},
                                                   {"M", "default", "N", "y"}});
}

TEST_CASE("mistakes of wiring are told") {
  Architecture a;
  a.input({{"default", {"T", "B", 3}}});
  a.add("Hid", "FullyConnected");
  CHECK(message_of([&] { a.add("2nd", "NoOp"); }) ==
        "'2nd': a layer's name consists of letters, digits and _ and does not begin with a digit");
  CHECK(message_of([&] { a.add("default", "NoOp"); }) == "'default': 'default' cannot be the name of a layer");
  CHECK(message_of([&] { a["Hidd"]; }) == "there is no layer 'Hidd'; did you mean 'Hid'?");
  CHECK(message_of([&] {
          a.connect({"Hid", "default", "Out", "default"});
        }) == "cannot connect 'Hid' to 'Out': both layers must exist");
  Architecture b;
  const Port other = b.add("Other", "NoOp");
  CHECK(message_of([&] { a["Hid"] >> other; }) == "cannot connect layers of two architectures");
}
