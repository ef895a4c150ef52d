// Options that describe themselves: reading, writing, and what is said about mistakes.
#include "squall/core/describe.hpp"
#include "squall/core/json.hpp"

#include <array>

#include "squall/core/activation.hpp"
#include "support/catch.hpp"
#include "support/graph_checks.hpp"

using namespace squall;
using graph_test::contains;
using graph_test::message_of;

namespace {

struct Everything {
  bool shuffle = true;
  Index size = 10;
  int depth = 2;
  std::uint64_t seed = 5;
  double rate = 0.5;
  std::string name = "net";
  Activation activation = Activation::Rel;
  std::optional<double> limit;
  std::vector<Index> sizes{1, 2};
  json inner = json::object();
  static constexpr auto fields = std::tuple{
      field("shuffle", &Everything::shuffle, "mix"),     field("size", &Everything::size, "units"),
      field("depth", &Everything::depth, "how deep"),    field("seed", &Everything::seed, "of the draws"),
      field("rate", &Everything::rate, "learning rate"), field("name", &Everything::name, "what it is called"),
      field("activation", &Everything::activation, "f"), field("limit", &Everything::limit, "none or a bound"),
      field("sizes", &Everything::sizes, "of layers"),   field("inner", &Everything::inner, "anything")};
};

std::vector<std::string> problems_of(const json& j) {
  Everything e;
  Problems problems;
  read_fields(j, "it", e, problems);
  return problems.all();
}
std::string problem_of(const json& j) {
  const auto all = problems_of(j);
  return all.size() == 1 ? all[0] : concat(all.size(), " problems");
}

}  // namespace

TEST_CASE("options survive a round trip through JSON") {
  const json written = {{"shuffle", false},     {"size", 7},
                        {"depth", -3},          {"seed", 18446744073709551615ULL},
                        {"rate", 1e-3},         {"name", "other"},
                        {"activation", "tanh"}, {"limit", 2.5},
                        {"sizes", {4, 5, 6}},   {"inner", {{"@type", "X"}}}};
  Everything e;
  Problems problems;
  read_fields(written, "it", e, problems);
  REQUIRE(problems.empty());
  CHECK(e.seed == 18446744073709551615ULL);
  CHECK(e.activation == Activation::Tanh);
  CHECK(e.limit == 2.5);
  CHECK(write_fields(e) == written);
}

TEST_CASE("defaults are left out when options are written, and kept when they are absent") {
  CHECK(write_fields(Everything{}) == json::object());
  Everything e;
  e.size = 11;
  CHECK(write_fields(e) == json{{"size", 11}});
  Problems problems;
  read_fields(json{{"rate", 2}}, "it", e, problems);
  CHECK(problems.empty());
  CHECK(e.rate == 2.0);
  CHECK(e.size == 11);
}

TEST_CASE("other spellings are read, the first one is written") {
  Everything e;
  e.activation = Activation::Tanh;
  Problems problems;
  read_fields(json{{"activation", "relu"}}, "it", e, problems);
  CHECK(problems.empty());
  CHECK(e.activation == Activation::Rel);
  CHECK(write_value(e.activation) == "rel");
}

TEST_CASE("whole numbers may be written with a point, others not") {
  Everything e;
  Problems problems;
  read_fields(json{{"size", 3.0}}, "it", e, problems);
  CHECK(e.size == 3);
  CHECK(problem_of({{"size", 3.5}}) == "it: option 'size' should be a whole number, not 3.5");
}

TEST_CASE("numbers that do not fit are rejected") {
  CHECK(contains(problem_of({{"size", 9223372036854775808ULL}}), "'size' should be a whole number"));
  CHECK(contains(problem_of({{"depth", 3000000000}}), "'depth' should be a whole number"));
  CHECK(problem_of({{"seed", -1}}) == "it: option 'seed' should be a whole number that is not negative, not -1");
  CHECK(problems_of({{"size", 9223372036854775807LL}}).empty());
  CHECK(contains(problem_of({{"size", 1e300}}), "'size' should be a whole number"));
}

TEST_CASE("values of wrong types are told with what was expected") {
  CHECK(problem_of({{"shuffle", 1}}) == "it: option 'shuffle' should be true or false, not 1");
  CHECK(problem_of({{"size", "big"}}) == "it: option 'size' should be a whole number, not \"big\"");
  CHECK(problem_of({{"rate", true}}) == "it: option 'rate' should be a number, not true");
  CHECK(problem_of({{"rate", nullptr}}) == "it: option 'rate' should be a number, not null");
  CHECK(problem_of({{"name", 3}}) == "it: option 'name' should be a text, not 3");
  CHECK(problem_of({{"sizes", 3}}) == "it: option 'sizes' should be a list, not 3");
  CHECK(problem_of({{"sizes", {1, "x"}}}) == "it: option 'sizes' should be a list of a whole number, not [1,\"x\"]");
  CHECK(problem_of({{"limit", "x"}}) == "it: option 'limit' should be a number, not \"x\"");
  CHECK(problems_of({{"limit", nullptr}}).empty());
  CHECK(problem_of({{"activation", "tahn"}}) ==
        "it: option 'activation' should be one of rel, relu, tanh, sigmoid, el, linear, softmax; did you mean 'tanh'?, "
        "not \"tahn\"");
  CHECK(problem_of(json::array()) == "it: should be an object, not array");
}

TEST_CASE("a value that is refused leaves the old one in place") {
  Everything e;
  Problems problems;
  read_fields(json{{"sizes", {3, 4, "x"}}, {"size", "x"}}, "it", e, problems);
  CHECK(e.sizes == std::vector<Index>{1, 2});
  CHECK(e.size == 10);
}

TEST_CASE("an unknown option is told with the nearest one and with all there are") {
  CHECK(problem_of({{"sise", 3}}) ==
        "it: unknown option 'sise'; did you mean 'size'?; options are: activation, depth, inner, limit, name, rate, "
        "seed, shuffle, size, sizes");
  CHECK_FALSE(contains(problem_of({{"qqqqqqqqqq", 3}}), "did you mean"));
  CHECK(problems_of({{"@type", "Everything"}, {"@comment", 1}}).empty());
  NoOptions none;
  Problems problems;
  read_fields(json{{"x", 1}}, "it", none, problems);
  CHECK(problems.all() == std::vector<std::string>{"it: unknown option 'x'; there are no options"});
}

TEST_CASE("all problems are told at once") {
  Everything e;
  Problems problems;
  read_fields(json{{"sise", 3}, {"rate", "x"}, {"name", 1}}, "it", e, problems);
  CHECK(problems.all().size() == 3);
  const auto text = message_of([&] { problems.raise_if_any("it cannot be used"); });
  CHECK(text.starts_with("it cannot be used: 3 problems\n  it: unknown option 'sise'"));
  CHECK(contains(text, "\n  it: option 'rate' should be a number"));
  CHECK(contains(text, "\n  it: option 'name' should be a text"));
  CHECK_THROWS_AS(problems.raise_if_any("x"), ConfigError);
  CHECK_NOTHROW(Problems().raise_if_any("x"));
  Problems one;
  one.add("", "only this");
  CHECK(message_of([&] { one.raise_if_any("headline"); }) == "only this");
}

TEST_CASE("options are explained with their defaults") {
  const auto docs = option_docs<Everything>();
  REQUIRE(docs.size() == 10);
  CHECK(docs[4].name == "rate");
  CHECK(docs[4].default_value == "0.5");
  CHECK(docs[4].doc == "learning rate");
  CHECK(docs[6].default_value == "\"rel\"");
  CHECK(docs[7].default_value == "null");
  CHECK(docs[8].default_value == "[1,2]");
}

TEST_CASE("the nearest word is found, a far one is not offered") {
  const std::vector<std::string> words{"FullyConnected", "Convolution2D", "Lstm"};
  CHECK(nearest("FullyConected", words) == "FullyConnected");
  CHECK(nearest("lstm", words) == "Lstm");
  CHECK(nearest("LTSM", words) == "Lstm");
  CHECK(nearest("convolution", words) == "Convolution2D");
  CHECK(nearest("Transformer", words).empty());
  CHECK(nearest("x", {}).empty());
  CHECK(did_you_mean("Lsm", words) == "; did you mean 'Lstm'?");
  CHECK(did_you_mean("Transformer", words).empty());
  CHECK(join(words) == "FullyConnected, Convolution2D, Lstm");
  CHECK(join(words, " -> ") == "FullyConnected -> Convolution2D -> Lstm");
  CHECK(join({}).empty());
}

TEST_CASE("JSON that cannot be parsed is told with line and column") {
  CHECK(parse_json("{\"a\": [1, 2]}", "net.json") == json{{"a", {1, 2}}});
  CHECK(message_of([] {
          parse_json("{\"a\" 1}", "net.json");
        }).starts_with("net.json: line 1, column 6: not valid JSON"));
  CHECK(message_of([] {
          parse_json("{\n  \"a\": 1,\n  \"b\": tru\n}", "net.json");
        }).starts_with("net.json: line 3, column "));
  CHECK(message_of([] { parse_json("{\"a\": 1,}", "net.json"); }).starts_with("net.json: line 1, column 9"));
  CHECK(message_of([] { parse_json("", "net.json"); }).starts_with("net.json: line 1, column 1"));
  CHECK(message_of([] { parse_json("{} x", "net.json"); }).starts_with("net.json: line 1, column 4"));
  CHECK(message_of([] { parse_json("{\n\n", "net.json"); }).starts_with("net.json: line 3, column 1"));
  CHECK(contains(message_of([] { parse_json("[\"\xff\"]", "net.json"); }), "UTF-8"));
}

TEST_CASE("a number too large for a double is a mistake in the JSON, not a crash") {
  const auto text = message_of([] { parse_json("{\"rate\": 1e999}", "net.json"); });
  CHECK(text.starts_with("net.json: "));
  CHECK(contains(text, "1e999"));
}

TEST_CASE("a key that is written twice is a mistake: one of the two would be lost") {
  CHECK(message_of([] { parse_json("{\"Hid\": {\"size\": 1},\n \"Hid\": {\"size\": 2}}", "net.json"); }) ==
        "net.json: the key 'Hid' is written twice in one object");
  CHECK(message_of([] { parse_json("{\"a\": {\"x\": 1, \"y\": {\"x\": 2}}, \"b\": {\"x\": 3}}", "net.json"); }) ==
        "no error");
  CHECK(message_of([] { parse_json("[{\"x\": 1}, {\"x\": 1}]", "net.json"); }) == "no error");
}
