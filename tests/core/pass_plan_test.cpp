// Which layers a pass runs, which deltas it makes, and who writes them first.
#include "squall/core/pass_plan.hpp"

#include "support/catch.hpp"
#include "support/graph_checks.hpp"
#include "support/graph_special_layers.hpp"

using namespace squall;
using namespace graph_test;
using Send = NodePlan::Send;

namespace {

const Catalog& catalog() {
  static const Catalog layers = layer_catalog();
  return layers;
}

// A graph and the plan of one pass, asked by name.
struct Planned {
  Graph graph;
  PassPlan plan;
  Planned(const Architecture& a, const PassRequest& request) : graph(a, catalog()), plan(plan_pass(graph, request)) {}

  const NodePlan& node(const std::string& name) const { return plan.nodes[static_cast<std::size_t>(graph.find(name))]; }
  std::string names(const std::vector<int>& nodes) const {
    std::vector<std::string> out;
    for (const int n : nodes) out.push_back(graph.node(n).name);
    return squall::join(out, " ");
  }
  std::string forward() const { return names(plan.forward_order); }
  std::string backward() const { return names(plan.backward_order); }
  bool delta(const std::string& layer, const std::string& output = "default") const {
    return node(layer).has_delta[static_cast<std::size_t>(graph.node(graph.find(layer)).find_output(output))] != 0;
  }
  bool zero_first(const std::string& layer, const std::string& output = "default") const {
    return node(layer).zero_first[static_cast<std::size_t>(graph.node(graph.find(layer)).find_output(output))] != 0;
  }
  Send send(const std::string& layer, const std::string& input = "default") const {
    return node(layer).sends[static_cast<std::size_t>(graph.node(graph.find(layer)).find_input(input))];
  }
};

PassRequest train(const std::vector<std::string>& heads = {}) { return {Mode::Train, heads, {}, {}}; }
PassRequest eval(const std::vector<std::string>& heads = {}) { return {Mode::Eval, heads, {}, {}}; }

// A trunk with two heads of their own losses.
Architecture two_heads() {
  Architecture a;
  a.input({{"default", {"T", "B", 3}}, {"t1", {"T", "B", 2}}, {"t2", {"T", "B", 2}}});
  a["Input"] >> a.add("Trunk", "Dense", {{"size", 4}});
  for (const std::string i : {"1", "2"}) {
    a["Trunk"] >> a.add("Head" + i, "Dense", {{"size", 2}}) >> a.add("Error" + i, "Error");
    a["Input.t" + i] >> a["Error" + i + ".targets"];
    a["Error" + i + ".loss"] >> a.add("Loss" + i, "Loss");
  }
  return a;
}

}  // namespace

TEST_CASE("without heads everything runs, and an evaluation has no backward half") {
  const Planned p(small_network(), eval());
  CHECK(p.forward() == "Hid Act Out Criterion Loss");
  CHECK(p.backward().empty());
  for (const auto& node : p.plan.nodes) {
    for (const char d : node.has_delta) CHECK(d == 0);
    for (const Send s : node.sends) CHECK(s == Send::Nothing);
    for (const Send s : node.gradient) CHECK(s == Send::Nothing);
  }
}

TEST_CASE("heads run only what they need") {
  CHECK(Planned(small_network(), eval({"Out"})).forward() == "Hid Act Out");
  CHECK(Planned(small_network(), eval({"Hid.default"})).forward() == "Hid");
  CHECK(Planned(two_heads(), eval({"Head1"})).forward() == "Trunk Head1");
  const Planned one(two_heads(), train({"Loss1"}));
  CHECK(one.forward() == "Trunk Head1 Error1 Loss1");
  CHECK(one.backward() == "Loss1 Error1 Head1 Trunk");
  CHECK(one.node("Input").output_active == std::vector<char>{1, 1, 0});
  CHECK(one.node("Head2").parameter_trained == std::vector<char>{0, 0});
  CHECK(one.node("Head2").gradient[0] == Send::Nothing);
  CHECK(Planned(two_heads(), train({"Loss1", "Head2"})).forward() == "Trunk Head1 Head2 Error1 Loss1");
  CHECK(Planned(two_heads(), train({"Loss1", "Head2"})).backward() == "Loss1 Error1 Head1 Trunk");
}

TEST_CASE("an output that depends on some inputs only does not need the others") {
  Architecture a;
  a.input({{"x", {"T", "B", 3}}, {"y", {"T", "B", 3}}});
  a["Input.x"] >> a.add("A", "Tanh");
  a["Input.y"] >> a.add("B", "Tanh");
  a["A"] >> "a" - a.add("P", "Pair");
  a["B"] >> a["P.b"];
  a["P.first"] >> a.add("End1", "Tanh");
  a["P.second"] >> a.add("End2", "Tanh");
  const Planned p(a, eval({"End2"}));
  CHECK(p.forward() == "B P End2");
  CHECK(p.node("P").input_active == std::vector<char>{0, 1});
  CHECK(p.node("P").output_active == std::vector<char>{0, 1});
  CHECK(p.node("Input").output_active == std::vector<char>{0, 1});
}

TEST_CASE("of two paths through one layer only the one with a loss behind it carries deltas") {
  Architecture a;
  a.input({{"x", {"T", "B", 3}}, {"y", {"T", "B", 3}}});
  a["Input.x"] >> a.add("A", "Dense", {{"size", 3}}) >> "a" - a.add("P", "Pair");
  a["Input.y"] >> a.add("B", "Dense", {{"size", 3}}) >> a["P.b"];
  a["P.first"] >> a.add("Loss", "Loss");
  const Planned p(a, train());
  CHECK(p.forward() == "A B P Loss");
  CHECK(p.backward() == "Loss P A");
  CHECK(p.delta("A"));
  CHECK_FALSE(p.delta("B"));
  CHECK(p.send("P", "b") == Send::Nothing);
}

TEST_CASE("heads that do not exist are told") {
  CHECK(message_of([] { Planned(small_network(), eval({"Oot"})); }) ==
        "there is no layer 'Oot' to run; did you mean 'Out'?");
  CHECK(message_of([] { Planned(small_network(), eval({"Out.x"})); }) ==
        "layer 'Out' has no output 'x'; outputs are: default");
}

TEST_CASE("deltas that nobody needs are not made") {
  const Planned p(small_network(), train());
  CHECK(p.backward() == "Loss Criterion Out Act Hid");
  CHECK_FALSE(p.delta("Input"));
  CHECK_FALSE(p.delta("Input", "targets"));
  CHECK(p.send("Hid") == Send::Nothing);
  CHECK(p.send("Criterion", "targets") == Send::Nothing);
  CHECK(p.send("Out") == Send::Overwrite);
  CHECK(p.delta("Hid"));
  CHECK_FALSE(p.delta("Loss", "loss"));
}

TEST_CASE("layers without anything to learn before them are not run backward") {
  Architecture a;
  a.input({{"default", {"T", "B", 3}}});
  a["Input"] >> a.add("A", "Tanh") >> a.add("B", "Tanh") >> a.add("W", "Dense", {{"size", 2}}) >> a.add("Loss", "Loss");
  const Planned p(a, train());
  CHECK(p.forward() == "A B W Loss");
  CHECK(p.backward() == "Loss W");
  CHECK_FALSE(p.delta("B"));
}

TEST_CASE("an output without a loss behind it has no delta, and its parameters get a zero gradient") {
  Architecture a = small_network();
  a["Act"] >> a.add("Side", "Dense", {{"size", 2}});
  const Planned p(a, train());
  CHECK_FALSE(p.delta("Side"));
  CHECK(p.send("Side") == Send::Nothing);
  CHECK(p.backward() == "Loss Criterion Out Act Hid");
  CHECK(p.node("Side").gradient[0] == Send::Nothing);
  CHECK(p.node("Side").gradient_zero_first[0] == 1);
}

TEST_CASE("nothing flows back through an input that cannot be differentiated") {
  Architecture a;
  a.input({{"default", {"T", "B", 3}}});
  a["Input"] >> a.add("W", "Dense", {{"size", 3}}) >> "targets" - a.add("Error", "Error");
  a["Input"] >> a["Error"];
  a["Error.loss"] >> a.add("Loss", "Loss");
  const Planned p(a, train());
  CHECK_FALSE(p.delta("W"));
  CHECK(p.backward().find("W") == std::string::npos);
}

TEST_CASE("a delta that is wanted is made all the way down to it") {
  PassRequest request = train();
  request.wants_deltas = {"Input.*"};
  const Planned p(small_network(), request);
  CHECK(p.delta("Input", "default"));
  CHECK_FALSE(p.delta("Input", "targets"));  // its reader sends nothing
  CHECK(p.send("Hid") == Send::Overwrite);
  request.wants_deltas = {"Input.targets"};
  CHECK_FALSE(Planned(small_network(), request).delta("Input", "default"));
}

TEST_CASE("frozen layers get no gradient, and what lies below them is not run backward") {
  PassRequest request = train();
  request.frozen = {"Hid"};
  const Planned p(small_network(), request);
  CHECK(p.backward() == "Loss Criterion Out");
  CHECK(p.node("Hid").gradient[0] == Send::Nothing);
  CHECK(p.node("Out").gradient[0] == Send::Overwrite);
  request.frozen = {"Out"};
  const Planned q(small_network(), request);
  CHECK(q.backward() == "Loss Criterion Out Act Hid");
  CHECK(q.node("Out").gradient[0] == Send::Nothing);
  CHECK(q.send("Out") == Send::Overwrite);
  request.frozen = {"*"};
  CHECK(Planned(small_network(), request).backward().empty());
}

TEST_CASE("of several readers the first in backward order overwrites and the others add") {
  Architecture a;
  a.input({{"default", {"T", "B", 3}}});
  a["Input"] >> a.add("W", "Dense", {{"size", 3}});
  a["W"] >> a.add("A", "Tanh") >> "a" - a.add("Sum", "Add");
  a["W"] >> a.add("B", "Square") >> a["Sum.b"];
  a["W"] >> a.add("Loss1", "Loss");
  a["Sum"] >> a.add("Loss2", "Loss");
  const Planned p(a, train());
  CHECK(p.backward() == "Loss2 Loss1 Sum B A W");
  CHECK(p.send("Loss1") == Send::Overwrite);
  CHECK(p.send("B") == Send::Add);
  CHECK(p.send("A") == Send::Add);
  CHECK_FALSE(p.zero_first("W"));
  CHECK(Planned(a, train({"Loss2"})).send("B") == Send::Overwrite);
  CHECK(Planned(a, train({"Loss2"})).send("A") == Send::Add);
}

TEST_CASE("a source read twice by one layer is cleared first, so that the order inside the layer never matters") {
  Architecture a;
  a.input({{"default", {"T", "B", 3}}});
  a["Input"] >> a.add("W", "Dense", {{"size", 3}}) >> "a" - a.add("P", "Product");
  a["W"] >> a["P.b"];
  a["P"] >> a.add("Loss", "Loss");
  const Planned p(a, train());
  CHECK(p.zero_first("W"));
  CHECK(p.send("P", "a") == Send::Add);
  CHECK(p.send("P", "b") == Send::Add);
  a["W"] >> a.add("Early", "Tanh") >> a.add("Mid", "Tanh") >> a.add("Loss0", "Loss");
  const Planned q(a, train());
  CHECK(q.zero_first("W"));
  CHECK(q.send("Early") == Send::Add);
  a["W"] >> a.add("Loss3", "Loss");  // runs backward before P, so it overwrites and nothing is cleared
  const Planned r(a, train());
  CHECK(r.send("Loss3") == Send::Overwrite);
  CHECK_FALSE(r.zero_first("W"));
  CHECK(r.send("P", "a") == Send::Add);
}

TEST_CASE("a double edge of which one end cannot be differentiated is a single one") {
  Architecture a;
  a.input({{"default", {"T", "B", 3}}});
  a["Input"] >> a.add("W", "Dense", {{"size", 3}}) >> a.add("Error", "Error");
  a["W"] >> a["Error.targets"];
  a["Error.loss"] >> a.add("Loss", "Loss");
  const Planned p(a, train());
  CHECK_FALSE(p.zero_first("W"));
  CHECK(p.send("Error") == Send::Overwrite);
  CHECK(p.send("Error", "targets") == Send::Nothing);
}

TEST_CASE("a parameter that another layer reads adds up its gradient from both") {
  Architecture a = small_network();
  a["Hid...parameters.W"] >> a.add("Decay", "Square") >> a.add("Loss2", "Loss", {{"importance", 0.1}});
  const Planned p(a, train());
  const auto& hid = p.node("Hid");
  CHECK(hid.gradient[0] == Send::Add);
  CHECK(hid.gradient_zero_first[0] == 1);
  CHECK(hid.gradient[1] == Send::Overwrite);
  CHECK(hid.gradient_zero_first[1] == 0);
  CHECK(p.send("Decay") == Send::Add);
  PassRequest frozen = train();
  frozen.frozen = {"Hid"};
  CHECK(Planned(a, frozen).send("Decay") == Send::Nothing);
}

TEST_CASE("a loss of a parameter alone trains it, although its layer does not run") {
  Architecture a = small_network();
  a["Hid...parameters.W"] >> a.add("Decay", "Square") >> a.add("Loss2", "Loss", {{"importance", 0.1}});
  const Planned p(a, train({"Loss2"}));
  CHECK(p.forward() == "Decay Loss2");
  CHECK(p.backward() == "Loss2 Decay");
  CHECK(p.send("Decay") == Send::Add);
  CHECK(p.node("Hid").gradient[0] == Send::Add);
  CHECK(p.node("Hid").gradient_zero_first[0] == 1);
  CHECK(p.node("Hid").gradient[1] == Send::Nothing);
}

TEST_CASE("gradients of tasks that rest are cleared") {
  Architecture a;
  a.input({{"a", {"T", "B", 3}}, {"b", {"T2", "B2", 3}}});
  a.add("M", "Tasks", {{"tasks", {"a", "b"}}, {"size", 2}});
  a["Input.a"] >> a["M.a"];
  a["Input.b"] >> a["M.b"];
  a["M.a"] >> a.add("LossA", "Loss");
  a["M.b"] >> a.add("LossB", "Loss");
  const Planned both(a, train());
  CHECK(both.node("M").gradient_zero_first[0] == 0);
  const Planned one(a, train({"LossB"}));
  CHECK(one.node("M").gradient_zero_first[0] == 1);
  CHECK(one.node("M").gradient[0] == Send::Overwrite);
  CHECK_FALSE(one.delta("M", "a"));
  CHECK(one.delta("M", "b"));
}

TEST_CASE("patterns: each star stands for letters, digits and underscores") {
  CHECK(matches("Hid", "Hid"));
  CHECK_FALSE(matches("Hid", "Hid2"));
  CHECK_FALSE(matches("Hid", "hid"));
  CHECK(matches("Hid*", "Hid"));
  CHECK(matches("Hid*", "Hid_2a"));
  CHECK(matches("*", "anything_1"));
  CHECK(matches("*", ""));
  CHECK_FALSE(matches("*", "a.b"));
  CHECK(matches("*.*", "a.b"));
  CHECK(matches("L*r*_2", "LstmLayer_2"));
  CHECK_FALSE(matches("L*r*_2", "LstmLayer_3"));
  CHECK(matches("**a**", "bab"));
  CHECK_FALSE(matches("", "a"));
  CHECK(matches("", ""));
}
