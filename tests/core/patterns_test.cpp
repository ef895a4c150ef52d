// Which parameter gets which value: patterns over layers and parameters, defaults and fallbacks.
#include "squall/core/parameters.hpp"

#include <map>

#include "support/catch.hpp"
#include "support/graph_checks.hpp"
#include "support/graph_special_layers.hpp"

using namespace squall;
using namespace graph_test;

namespace {

// A layer with the parameters its options name.
struct ParamsOptions {
  std::vector<std::string> names;
  static constexpr auto fields = std::tuple{field("names", &ParamsOptions::names, "parameters")};
};
class ParamsLayer final : public LayerOf<ParamsLayer, ParamsOptions> {
 public:
  static constexpr std::string_view kType = "Params", kDoc = "Parameters.";
  void declare(Declare& d) override {
    const In x = d.input("default", "...");
    d.output("default", d.like(x));
    for (const auto& name : options.names) d.parameter(name, Shape{1});
    d.state("mean", Shape{1}, 0);
  }
  void forward(Forward&) const override {}
  void backward(Backward&) const override {}
};

Graph example() {
  Catalog catalog = layer_catalog();
  catalog.of<Layer>().add<ParamsLayer>();
  const std::vector<std::string> lstm{"IX", "OX", "I_bias", "O_bias"};
  Architecture a;
  a.input({{"default", {"T", "B", 1}}});
  a["Input"] >> a.add("LstmLayer_1", "Params", {{"names", lstm}}) >>
      a.add("LstmLayer_2", "Params", {{"names", lstm}}) >>
      a.add("RegularLayer", "Params", {{"names", {"W", "A_bias"}}}) >>
      a.add("Other", "Params", {{"names", {"W", "b"}}});
  return Graph(a, catalog);
}

// "Layer.parameter" -> its match; states as "Layer.state!".
std::map<std::string, PatternMatch> resolve(const json& patterns, Problems& problems) {
  static const Graph graph = example();
  std::map<std::string, PatternMatch> out;
  for (const auto& t : resolve_patterns(graph, patterns, "initialize", problems)) {
    const Node& node = graph.node(t.node);
    const auto slot = static_cast<std::size_t>(t.slot);
    out[node.name + "." + (t.state ? node.states[slot].name + "!" : node.parameters[slot].name)] = t.match;
  }
  return out;
}
std::map<std::string, PatternMatch> resolve(const json& patterns) {
  Problems problems;
  auto out = resolve(patterns, problems);
  problems.raise_if_any("patterns");
  return out;
}
std::string error_of(const json& patterns) {
  return message_of([&] { resolve(patterns); });
}
json values(const std::map<std::string, PatternMatch>& all, const std::string& path) { return all.at(path).values; }

}  // namespace

TEST_CASE("the complicated example: several patterns reach one layer") {
  const auto all = resolve({{"Lstm*", {{"IX", 1}}}, {"*Layer*", {{"*_bias", 2}}}, {"*_2", 7}, {"default", 0}});
  CHECK(values(all, "LstmLayer_2.IX") == json{1, 7});
  CHECK(values(all, "LstmLayer_2.OX") == json{7});
  CHECK(values(all, "LstmLayer_2.I_bias") == json{2, 7});
  CHECK(values(all, "LstmLayer_2.O_bias") == json{2, 7});
  CHECK(values(all, "LstmLayer_1.IX") == json{1});
  CHECK(values(all, "LstmLayer_1.OX") == json{0});
  CHECK(values(all, "LstmLayer_1.I_bias") == json{2});
  CHECK(values(all, "RegularLayer.A_bias") == json{2});
  CHECK(values(all, "RegularLayer.W") == json{0});
  CHECK(values(all, "Other.W") == json{0});
  CHECK(all.at("LstmLayer_1.OX").by_default);
  CHECK_FALSE(all.at("LstmLayer_1.IX").by_default);
  CHECK(all.size() == 12);
}

TEST_CASE("a value by itself is the default of everything") {
  for (const json& value : {json(0.5), json{{"@type", "Gaussian"}, {"std", 1}}, json{1, 2}}) {
    const auto all = resolve(value);
    CHECK(all.size() == 12);
    for (const auto& [path, match] : all) {
      CHECK(match.values == std::vector<json>{value});
      CHECK(match.by_default);
    }
  }
}

TEST_CASE("inner defaults override outer ones") {
  const auto all = resolve({{"default", 0}, {"Lstm*", {{"IX", 1}, {"default", 2}}}});
  CHECK(values(all, "LstmLayer_1.IX") == json{1});
  CHECK(values(all, "LstmLayer_1.OX") == json{2});
  CHECK(values(all, "Other.b") == json{0});
}

TEST_CASE("a default may itself be patterns of parameters") {
  const auto all = resolve({{"default", {{"*bias", 0}, {"default", 3}}}, {"Other", {{"W", 4}}}});
  CHECK(values(all, "LstmLayer_1.I_bias") == json{0});
  CHECK(values(all, "LstmLayer_1.IX") == json{3});
  CHECK(values(all, "Other.W") == json{4});
  CHECK(values(all, "Other.b") == json{3});
}

TEST_CASE("inner fallbacks override outer ones") {
  const auto all = resolve({{"default", 0}, {"fallback", 8}, {"Lstm*", {{"IX", 1}, {"fallback", 9}}}});
  CHECK(all.at("LstmLayer_1.IX").fallback == std::vector<json>{9});
  CHECK(all.at("LstmLayer_1.OX").fallback == std::vector<json>{9});
  CHECK(all.at("Other.b").fallback == std::vector<json>{8});
  CHECK(resolve({{"default", 0}}).at("Other.b").fallback.empty());
}

TEST_CASE("equal values from several patterns are one, different ones stay apart") {
  const auto all = resolve({{"default", 0}, {"*_1", 5}, {"Lstm*", 5}});
  CHECK(values(all, "LstmLayer_1.IX") == json{5});
  const auto more = resolve({{"default", 0}, {"*_1", 6}, {"Lstm*", 5}});
  CHECK(values(more, "LstmLayer_1.IX") == json{6, 5});
}

TEST_CASE("parameters that nothing reaches have no values") {
  const auto all = resolve({{"Lstm*", {{"IX", 1}}}});
  CHECK(values(all, "Other.W") == json::array());
  CHECK(values(all, "LstmLayer_1.OX") == json::array());
}

TEST_CASE("states are reached only where a pattern names them") {
  CHECK(resolve({{"default", 0}}).count("Other.mean!") == 0);
  CHECK(resolve({{"*", 0}}).count("Other.mean!") == 0);
  CHECK(resolve({{"default", 0}, {"Other", {{"default", 1}}}}).count("Other.mean!") == 0);
  const auto all = resolve({{"default", 0}, {"Other", {{"mean", 3}}}});
  REQUIRE(all.count("Other.mean!") == 1);
  CHECK(values(all, "Other.mean!") == json{3});
  CHECK(all.count("RegularLayer.mean!") == 0);
}

TEST_CASE("a pattern that matches nothing is a problem") {
  CHECK(error_of({{"Othre", 1}, {"default", 0}}) ==
        "initialize: pattern 'Othre' matches no layer; did you mean 'Other'?");
  CHECK(error_of({{"Gru*", 1}, {"default", 0}}).starts_with("initialize: pattern 'Gru*' matches no layer"));
  CHECK(error_of({{"Other", {{"V", 1}}}, {"default", 0}}) == "initialize: pattern 'Other.V' matches no parameter");
  CHECK(error_of({{"*", {{"IX", 1}}}, {"default", 0}}) == "no error");  // some layers have it
  CHECK(contains(error_of({{"Other", {{"V", 1}, {"U", 1}}}, {"X", 1}}), "3 problems"));
}
