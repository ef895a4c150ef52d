// Layers of one name are numbered as they were added.
#include "squall/core/architecture.hpp"
#include "support/catch.hpp"
#include "support/graph_checks.hpp"

using namespace squall;
using graph_test::message_of;

namespace {

std::vector<std::string> named(const std::vector<std::string>& given) {
  Architecture a;
  for (const auto& name : given) a.add(name, "NoOp");
  std::vector<std::string> out;
  for (const auto& layer : a.layers()) out.push_back(layer.name);
  return out;
}
using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("layers of one name are numbered in the order in which they were added") {
  CHECK(named({"A"}) == Names{"A"});
  CHECK(named({"A", "B"}) == Names{"A", "B"});
  CHECK(named({"A", "A"}) == Names{"A_1", "A_2"});
  CHECK(named({"A", "B", "A", "B", "C"}) == Names{"A_1", "B_1", "A_2", "B_2", "C"});
  CHECK(named({"A", "A", "A"}) == Names{"A_1", "A_2", "A_3"});
}

TEST_CASE("a number whose name one other layer was given is left out") {
  CHECK(named({"A_2", "A", "A", "A"}) == Names{"A_2", "A_1", "A_3", "A_4"});
  CHECK(named({"A", "A", "A", "A_2"}) == Names{"A_1", "A_3", "A_4", "A_2"});
  CHECK(named({"A_1", "A"}) == Names{"A_1", "A"});
  CHECK(named({"A_1", "A", "A"}) == Names{"A_1", "A_2", "A_3"});
}

TEST_CASE("a number whose name several layers were given is free") {
  CHECK(named({"A_2", "A_2", "A", "A", "A"}) == Names{"A_2_1", "A_2_2", "A_1", "A_2", "A_3"});
  CHECK(named({"A", "A_1", "A", "A_1"}) == Names{"A_1", "A_1_1", "A_2", "A_1_2"});
}

TEST_CASE("connections and ports follow the layers when they are numbered") {
  Architecture a;
  const Port input = a.input({{"default", {"T", "B", 3}}});
  const Port first = input >> a.add("A", "NoOp");
  const Port second = first >> a.add("A", "NoOp");
  const Port other = second >> a.add("A_1", "NoOp");
  first >> other;
  CHECK(first.name() == "A_2");
  CHECK(second.name() == "A_3");
  CHECK(other.name() == "A_1");
  CHECK(a.connections() == std::vector<Connection>{{"Input", "default", "A_2", "default"},
                                                   {"A_2", "default", "A_3", "default"},
                                                   {"A_3", "default", "A_1", "default"},
                                                   {"A_2", "default", "A_1", "default"}});
  CHECK(Architecture::from_json(a.to_json()).layers().size() == 4);
}

TEST_CASE("layers added to a network that was read get names of their own") {
  Architecture a = Architecture::from_json(
      json::parse(R"({"Input": {"@type": "Input", "@outgoing_connections": ["A"]}, "A": {"@type": "NoOp"}})"));
  a["A"] >> a.add("A", "NoOp");
  CHECK(a.connections() ==
        std::vector<Connection>{{"Input", "default", "A_1", "default"}, {"A_1", "default", "A_2", "default"}});
  CHECK(message_of([&] { a.input({{"default", {"T", "B", 3}}}); }) == "there can be only one layer 'Input'");
}
