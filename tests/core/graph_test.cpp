// Graphs: order of layers, what they are told of their inputs, and what is said when they do not fit together.
#include "squall/core/graph.hpp"

#include "support/catch.hpp"
#include "support/graph_checks.hpp"
#include "support/graph_special_layers.hpp"

using namespace squall;
using namespace graph_test;

namespace {

const json kData = {{"default", {"T", "B", 3}}, {"targets", {"T", "B", 2}}};

Graph graph_of(const Architecture& a) {
  static const Catalog catalog = layer_catalog();
  return Graph(a, catalog);
}
std::string error_of(const Architecture& a) {
  return message_of([&] { graph_of(a); });
}
std::string order_of(const Architecture& a) { return squall::join(graph_of(a).names(), " "); }

}  // namespace

TEST_CASE("layers run in order of their longest way to the end, then by name") {
  // A -> {B1, C}, B1 -> B2 -> D, C -> D, written in three ways
  const std::vector<std::vector<const char*>> variants{
      {"A", "B1", "B2", "C", "D"}, {"D", "C", "B2", "B1", "A"}, {"C", "A", "D", "B1", "B2"}};
  for (const auto& names : variants) {
    json j;
    for (const char* name : names) j[name] = {{"@type", name == std::string("D") ? "Add" : "Tanh"}};
    j["Input"] = {{"@type", "Input"}, {"out_shapes", kData}, {"@outgoing_connections", {"A"}}};
    j["A"]["@outgoing_connections"] = {"B1", "C"};
    j["B1"]["@outgoing_connections"] = {"B2"};
    j["B2"]["@outgoing_connections"] = {"D.a"};
    j["C"]["@outgoing_connections"] = {"D.b"};
    CHECK(order_of(Architecture::from_json(j)) == "Input A B1 B2 C D");
  }
}

TEST_CASE("Input comes first even where another branch is longer or its name comes later") {
  Architecture a;
  a.input(kData);
  a["Input"] >> a.add("A", "Tanh");
  CHECK(order_of(a) == "Input A");
  Architecture nothing;
  nothing.input(kData);
  CHECK(order_of(nothing) == "Input");
}

TEST_CASE("a cycle is told with the layers that form it") {
  Architecture a;
  a.input(kData);
  a["Input"] >> a.add("S", "Add") >> a.add("P", "Tanh") >> a.add("Q", "Tanh") >> a["S.b"];
  a["Q"] >> a.add("End", "Tanh");
  const auto text = error_of(a);
  CHECK(text.starts_with("network: the layers form a cycle: "));
  const bool named =
      contains(text, "P -> Q -> S -> P") || contains(text, "Q -> S -> P -> Q") || contains(text, "S -> P -> Q -> S");
  CHECK(named);
  CHECK_FALSE(contains(text, "End"));
  CHECK_FALSE(contains(text, "Input"));
}

TEST_CASE("a layer that feeds itself is a cycle") {
  Architecture a;
  a.input(kData);
  a["Input"] >> a.add("S", "Add");
  a["S"] >> a["S.b"];
  CHECK(error_of(a) == "network: the layers form a cycle: S -> S");
}

TEST_CASE("an architecture wired in C++ is checked like one of JSON") {
  CHECK(error_of(Architecture()) == "network: there is no layer 'Input' of type Input");
  Architecture a;
  a.add("Hid", "Tanh");
  CHECK(error_of(a) == "network: there is no layer 'Input' of type Input");
  a.input(kData);
  a["Hid"] >> a["Input"];
  CHECK(error_of(a) == "network.Hid.@outgoing_connections: nothing can be connected into Input");
  Architecture two;
  two.input(kData);
  two.add("More", "Input", {{"out_shapes", kData}});
  CHECK(contains(error_of(two), "network.More: a layer of type Input must be named Input"));
}

TEST_CASE("an unknown type is told with the nearest") {
  Architecture a;
  a.input(kData);
  a["Input"] >> a.add("Hid", "Dennse", {{"size", 4}});
  CHECK(error_of(a).starts_with("layer 'Hid': unknown type 'Dennse'; did you mean 'Dense'?; known are: Add, "));
}

TEST_CASE("a wrong option of a layer is told with its layer") {
  Architecture a;
  a.input(kData);
  a["Input"] >> a.add("Hid", "Dense", {{"sise", 4}});
  CHECK(error_of(a) == "layer 'Hid': unknown option 'sise'; did you mean 'size'?; options are: size");
}

TEST_CASE("outputs, inputs and parameters that do not exist are told with the nearest") {
  Architecture a;
  a.input(kData);
  a["Input.defaut"] >> a.add("Hid", "Tanh");
  CHECK(error_of(a) == "Input 'Input': has no output 'defaut'; did you mean 'default'?; outputs are: default, targets");
  Architecture b;
  b.input(kData);
  b["Input"] >> b.add("Hid", "Tanh");
  b["Input"] >> b["Hid.defualt"];
  CHECK(error_of(b) ==
        "Tanh 'Hid': has no input 'defualt' for 'Input.default'; did you mean 'default'?; inputs are: default");
  Architecture c;
  c.input(kData);
  c["Input"] >> c.add("Hid", "Dense");
  c["Hid...parameters.w"] >> c.add("Loss", "Loss");
  CHECK(error_of(c) == "Dense 'Hid': has no parameter 'w'; did you mean 'W'?; parameters are: W, bias");
  Architecture d;
  d.input(kData);
  d["Input"] >> d.add("Hid", "Dense");
  d["Hid...internals.H"] >> d.add("Loss", "Loss");
  CHECK(error_of(d) == "Dense 'Hid': has no internal 'H'; internals are: none");
}

TEST_CASE("an input that nobody feeds is told") {
  Architecture a;
  a.input(kData);
  a["Input"] >> a.add("Sum", "Add", {}) >> a.add("End", "Tanh");
  CHECK(error_of(a) == "Add 'Sum': input 'a' is not connected; connected are: default");
  Architecture b;
  b.input(kData);
  b.add("Alone", "Tanh") >> b.add("Next", "Tanh");
  CHECK(error_of(b) == "Tanh 'Alone': input 'default' is not connected");
}

TEST_CASE("shapes that do not fit are told with both sides") {
  Architecture a;
  a.input({{"default", {"B", 3}}});
  a["Input"] >> a.add("Leak", "Leaky");
  CHECK(error_of(a) ==
        "Leaky 'Leak': input 'default' should be (T B ...), but 'Input.default' is (B, 3): expected (T B ...), got (B, "
        "3)");
  Architecture b;
  b.input(kData);
  b.add("Sum", "Add");
  b["Input"] >> b["Sum.a"];
  b["Input.targets"] >> b["Sum.b"];
  CHECK(error_of(b) == "Add 'Sum': inputs differ: a is (T, B, 3), b is (T, B, 2)");
}

TEST_CASE("shapes of Input are checked") {
  const auto error = [](const json& shape) {
    Architecture a;
    a.input({{"x", shape}});
    return error_of(a);
  };
  CHECK(error({"T", "B", 784}) == "no error");
  CHECK(error({"B_digits", 28, 28}) == "no error");
  CHECK(error({5}) == "no error");
  CHECK(error({"T", 784}) == "Input 'Input': x is [\"T\",784]: T must be followed by B");
  CHECK(error({"T", "B"}) == "Input 'Input': x is [\"T\",\"B\"]: there must be at least one feature axis");
  CHECK(error(json::array()) == "Input 'Input': x should be a list like [\"T\", \"B\", 784], not []");
  CHECK(error(784) == "Input 'Input': x should be a list like [\"T\", \"B\", 784], not 784");
  for (const json& wrong : {json{"B", "T", 3}, json{"T", "B", 0}, json{"T", "B", -3}, json{"T", "B", 2.5},
                            json{"T", "B", "x"}, json{3, "B"}, json{"T", "B", 3, "B"}, json{"T", "T", "B", 1}})
    CHECK(contains(error(wrong), "should be T, B (first, in this order) or a positive whole number"));
}

TEST_CASE("problems of several layers are told together, and what follows from them is not") {
  Architecture a;
  a.input(kData);
  a["Input"] >> a.add("One", "Dennse") >> a.add("After", "Dense", {{"size", "x"}});
  a["Input"] >> a.add("Two", "Dense", {{"sise", 1}});
  a["Input.nothing"] >> a.add("Three", "Tanh");
  const auto text = error_of(a);
  CHECK(text.starts_with("the network cannot be used: "));
  CHECK(contains(text, "has no output 'nothing'"));
  CHECK_FALSE(contains(text, "not connected"));
  Architecture b;
  b.input(kData);
  b["Input"] >> b.add("One", "Dennse") >> b.add("After", "Dense", {{"size", "x"}});
  b["Input"] >> b.add("Two", "Dense", {{"sise", 1}});
  const auto more = error_of(b);
  CHECK(more.starts_with("the network cannot be used: 3 problems"));
  CHECK(contains(more, "layer 'One'"));
  CHECK(contains(more, "layer 'After': option 'size' should be a whole number"));
  CHECK(contains(more, "layer 'Two'"));
}

TEST_CASE("data take the element type their readers ask for") {
  Architecture a;
  a.input({{"default", {"T", "B", 1}}, {"labels", {"T", "B", 1}}});
  a["Input.labels"] >> a.add("One", "Label");
  a["Input.default"] >> a.add("Two", "Tanh");
  const Graph g = graph_of(a);
  CHECK(g.node(0).outputs[0].dtype == DType::F32);
  CHECK(g.node(0).outputs[1].dtype == DType::I32);
  a["Input.labels"] >> a.add("Three", "Tanh");
  CHECK(error_of(a) == "Input.labels is read as i32 by 'One' and as f32 by 'Three'; use two outputs of Input");
  Architecture b;
  b.input({{"default", {"T", "B", 1}}});
  b["Input"] >> b.add("Hid", "Tanh") >> b.add("Label", "Label");
  CHECK(error_of(b) == "Label 'Label': input 'default' should be of i32, but 'Hid.default' is of f32");
}

TEST_CASE("several sources of one input are joined along the last axis, in order of their names") {
  Architecture a;
  a.input({{"default", {"T", "B", 4, 3}}});
  a["Input"] >> a.add("Z", "Tanh") >> a.add("End", "Tanh");
  a["Input"] >> a.add("A", "Tanh") >> a["End"];
  a["Input"] >> a["End"];
  const Graph g = graph_of(a);
  const Node& end = g.node(g.find("End"));
  CHECK(end.inputs[0].shape.text() == "(T, B, 4, 9)");
  const Node& join = g.node(end.inputs[0].source.node);
  CHECK(join.implied);
  REQUIRE(join.inputs.size() == 3);
  CHECK(g.node(join.inputs[0].source.node).name == "A");
  CHECK(g.node(join.inputs[1].source.node).name == "Input");
  CHECK(g.node(join.inputs[2].source.node).name == "Z");
  CHECK(squall::join(g.names(), " ") == "Input A Z End");
}

TEST_CASE("sources that cannot be joined are told with their shapes") {
  Architecture a;
  a.input({{"x", {"T", "B", 4, 3}}, {"y", {"T", "B", 5, 3}}, {"z", {"B", 4, 3}}});
  a.add("End", "Tanh");
  a["Input.x"] >> a["End"];
  a["Input.y"] >> a["End"];
  CHECK(contains(error_of(a),
                 "'End.default': sources of one input differ in more than their last axis: Input.x is (T, B, 4, 3), "
                 "Input.y is (T, B, 5, 3)"));
  Architecture b;
  b.input({{"x", {"T", "B", 4, 3}}, {"z", {"B", 4, 3}}});
  b.add("End", "Tanh");
  b["Input.x"] >> b["End"];
  b["Input.z"] >> b["End"];
  CHECK(contains(error_of(b), "Input.x is (T, B, 4, 3), Input.z is (B, 4, 3)"));
}

TEST_CASE("a parameter can be the source of an input") {
  Architecture a;
  a.input(kData);
  a["Input"] >> a.add("Hid", "Dense", {{"size", 4}});
  a["Hid...parameters.W"] >> a.add("Loss", "Loss");
  const Graph g = graph_of(a);
  const auto& in = g.node(g.find("Loss")).inputs[0];
  CHECK(in.source.kind == Source::Kind::Parameter);
  CHECK(in.shape.text() == "(4, 3)");
  CHECK(g.node(in.source.node).name == "Hid");
  CHECK(g.parameter_count() == 16);
}

TEST_CASE("readers of an output and the losses are known") {
  const Graph g = graph_of(small_network());
  CHECK(g.losses() == std::vector<int>{g.find("Loss")});
  const auto& readers = g.readers(g.find("Hid"), 0);
  REQUIRE(readers.size() == 1);
  CHECK(g.node(readers[0].node).name == "Act");
  CHECK(g.readers(g.find("Loss"), 0).empty());
  CHECK(g.find("nobody") == -1);
}

TEST_CASE("each size of data has a name of its own") {
  Architecture a;
  a.input({{"a", {"T", "B", 3}}, {"b", {"T2", "B_b", 3}}, {"c", {"B", 1}}});
  const Graph g = graph_of(a);
  CHECK(g.symbols().size() == 4);
  CHECK(g.node(0).outputs[0].shape.batch == g.node(0).outputs[2].shape.batch);
  CHECK(g.node(0).outputs[0].shape.time != g.node(0).outputs[1].shape.time);
}
