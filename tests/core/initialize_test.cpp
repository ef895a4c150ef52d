// First values of parameters: forms of descriptions, fallbacks, errors, and streams that depend on seed and name only.
#include "squall/core/parameters.hpp"

#include "support/catch.hpp"
#include "support/graph_rig.hpp"

using namespace squall;
using namespace graph_test;

namespace {

// Uniform numbers in [0, scale).
struct DrawOptions {
  double scale = 1;
  static constexpr auto fields = std::tuple{field("scale", &DrawOptions::scale, "upper end")};
};
class Draw final : public DescribedAs<Initializer, Draw, DrawOptions> {
 public:
  static constexpr std::string_view kType = "Draw", kDoc = "Draws.";
  void fill(std::span<double> values, const ParameterContext&, Rng& rng) const override {
    for (double& v : values) v = options.scale * rng.uniform();
  }
};
// Suits matrices only.
class MatrixOnly final : public DescribedAs<Initializer, MatrixOnly, NoOptions> {
 public:
  static constexpr std::string_view kType = "MatrixOnly", kDoc = "Matrices.";
  void fill(std::span<double> values, const ParameterContext& parameter, Rng& rng) const override {
    if (parameter.shape.rank() != 2) raise<InitializationError>("MatrixOnly does not suit ", parameter.shape);
    for (double& v : values) v = 10 + rng.uniform();
  }
};
// Writes down what it is told.
class Tells final : public DescribedAs<Initializer, Tells, NoOptions> {
 public:
  static constexpr std::string_view kType = "Tells", kDoc = "Tells.";
  void fill(std::span<double> values, const ParameterContext& p, Rng&) const override {
    for (double& v : values) v = 0;
    values[0] = static_cast<double>(p.shape.rank());
    if (values.size() > 1) values[1] = p.bias ? 1 : 0;
    if (values.size() > 2) values[2] = p.layer == "M" && p.name == "W" ? 1 : 0;
  }
};

const Catalog& catalog() {
  static const Catalog made = [] {
    Catalog c = layer_catalog();
    c.of<Initializer>().add<Draw>();
    c.of<Initializer>().add<MatrixOnly>();
    c.of<Initializer>().add<Tells>();
    return c;
  }();
  return made;
}

const json kDraw = {{"@type", "Draw"}};

std::string error_of(const json& patterns) {
  Net net(small_network(), catalog());
  return message_of([&] { net.initialize(patterns, 1); });
}

}  // namespace

TEST_CASE("one initializer by itself reaches every parameter") {
  Net net(small_network(), catalog());
  net.initialize(kDraw, 1);
  for (const char* path : {"Hid.parameters.W", "Hid.parameters.bias", "Out.parameters.W", "Out.parameters.bias"})
    for (const double v : net.get(path).doubles()) CHECK((v > 0 && v < 1));
  net.initialize(0.25, 1);
  CHECK(net.get("Hid.parameters.W").doubles() == std::vector<double>(12, 0.25));
}

TEST_CASE("patterns, numbers, lists and initializers go together") {
  Net net(small_network(), catalog());
  net.initialize(
      {{"default", kDraw}, {"Hid", {{"bias", {1, 2, 3, 4}}}}, {"O*", {{"b*", 7}, {"W", {{1, 2, 3, 4}, {5, 6, 7, 8}}}}}},
      1);
  CHECK(net.get("Hid.parameters.bias").doubles() == std::vector<double>{1, 2, 3, 4});
  CHECK(net.get("Out.parameters.bias").doubles() == std::vector<double>{7, 7});
  CHECK(net.get("Out.parameters.W").doubles() == std::vector<double>{1, 2, 3, 4, 5, 6, 7, 8});
  CHECK(net.get("Hid.parameters.W").value(5) > 0);
}

TEST_CASE("a parameter's first values depend on the seed and its name, not on the rest of the network") {
  Architecture larger = small_network();
  larger["Act"] >> larger.add("Another", "Dense", {{"size", 5}}) >> larger.add("A_first", "Dense", {{"size", 5}});
  Net a(small_network(), catalog());
  Net b(larger, catalog());
  a.initialize(kDraw, 42);
  b.initialize({{"default", {{"@type", "Draw"}, {"scale", 2}}}, {"Hid", kDraw}, {"Out", {{"W", kDraw}, {"bias", 0}}}},
               42);
  CHECK(a.get("Hid.parameters.W") == b.get("Hid.parameters.W"));
  CHECK(a.get("Out.parameters.W") == b.get("Out.parameters.W"));
  CHECK_FALSE(b.get("Another.parameters.bias") == b.get("A_first.parameters.bias"));
  const HostArray first = a.get("parameters");
  a.initialize(kDraw, 42);
  CHECK(a.get("parameters") == first);
  a.initialize(kDraw, 43);
  CHECK_FALSE(a.get("parameters") == first);
}

TEST_CASE("single precision gets the rounded numbers of double precision") {
  Net doubles(small_network(), catalog(), {}, "cpu:f64");
  Net floats(small_network(), catalog(), {}, "cpu:f32");
  doubles.initialize(kDraw, 3);
  floats.initialize(kDraw, 3);
  for (const char* path : {"Hid.parameters.W", "Out.parameters.bias"})
    CHECK(floats.get(path) == doubles.get(path).cast(DType::F32));
}

TEST_CASE("a fallback takes over where an initializer does not suit the shape, and only there") {
  Net net(small_network(), catalog());
  net.initialize({{"default", {{"@type", "MatrixOnly"}}}, {"fallback", 3}}, 1);
  CHECK(net.get("Hid.parameters.W").value(0) > 10);
  CHECK(net.get("Hid.parameters.bias").doubles() == std::vector<double>(4, 3));
  net.initialize({{"default", {{"@type", "MatrixOnly"}}}, {"fallback", kDraw}, {"Out", {{"fallback", 5}}}}, 1);
  CHECK(net.get("Hid.parameters.bias").value(0) < 1);
  CHECK(net.get("Out.parameters.bias").doubles() == std::vector<double>(2, 5));
  CHECK(error_of({{"default", {{"@type", "MatrixOnly"}}}}) ==
        "the network cannot be initialised: 2 problems\n"
        "  initialize: parameter 'Hid.bias': MatrixOnly does not suit (4)\n"
        "  initialize: parameter 'Out.bias': MatrixOnly does not suit (2)");
}

TEST_CASE("every parameter needs exactly one initializer") {
  CHECK(error_of({{"Hid", 1}, {"Out", {{"W", 1}}}}) ==
        "initialize: parameter 'Out.bias' has no initializer; exactly one must reach it");
  CHECK(error_of({{"*", 1}, {"Out", {{"W", 2}}}}) ==
        "initialize: parameter 'Out.W' has several initializers; exactly one must reach it");
  CHECK(error_of({{"*", 1}, {"Out", {{"W", 1}}}}) == "no error");
  CHECK(contains(error_of(json::object()), "4 problems"));
  CHECK(error_of({{"default", 1}, {"Hid", {{"fallback", 1}}}, {"H*", {{"fallback", 2}}}}) ==
        "the network cannot be initialised: 2 problems\n"
        "  initialize: parameter 'Hid.W' has several fallbacks; exactly one must reach it\n"
        "  initialize: parameter 'Hid.bias' has several fallbacks; exactly one must reach it");
}

TEST_CASE("mistakes in initializers are told with their parameter") {
  CHECK(error_of({{"default", 1}, {"Hid", {{"W", {{"@type", "Drow"}}}}}}) ==
        "initialize: parameter 'Hid.W': unknown type 'Drow'; did you mean 'Draw'?; known are: Draw, MatrixOnly, Tells");
  CHECK(error_of({{"default", 1}, {"Hid", {{"W", {{"@type", "Draw"}, {"scal", 1}}}}}}) ==
        "initialize: parameter 'Hid.W': unknown option 'scal'; did you mean 'scale'?; options are: scale");
  CHECK(error_of({{"default", 1}, {"Hid", {{"W", "Draw"}}}}) ==
        "initialize: parameter 'Hid.W': should be an object with an '@type'");
  CHECK(error_of({{"default", 1}, {"Hid", {{"W", {{"x", 3}}}}}}) ==
        "initialize: parameter 'Hid.W': should be an object with an '@type'");
  CHECK(error_of({{"default", 1}, {"Hid", {{"W", true}}}}) ==
        "initialize: parameter 'Hid.W': should be an object with an '@type'");
}

TEST_CASE("lists must have the parameter's shape") {
  const auto list_error = [](const json& list) { return error_of({{"default", 1}, {"Out", {{"W", list}}}}); };
  CHECK(list_error({1, 2, 3}) == "initialize: parameter 'Out.W': a list of shape (3) for a parameter (2, 4)");
  CHECK(list_error({{1, 2}, {3, 4}}) == "initialize: parameter 'Out.W': a list of shape (2, 2) for a parameter (2, 4)");
  CHECK(list_error({{1, 2, 3, 4}, {5, 6, 7}}) == "initialize: parameter 'Out.W': the lists have different lengths");
  CHECK(list_error({{1, 2, 3, 4}, 5}) == "initialize: parameter 'Out.W': the lists have different depths");
  CHECK(list_error({{1, 2, 3, 4}, {5, 6, 7, "x"}}) == "initialize: parameter 'Out.W': should be a number, not \"x\"");
  CHECK(list_error(json::array()) == "initialize: parameter 'Out.W': a list of shape (0) for a parameter (2, 4)");
}

TEST_CASE("a pattern that matches nothing is an error, and the place is told") {
  CHECK(error_of({{"default", 1}, {"Hod", 2}}) == "initialize: pattern 'Hod' matches no layer; did you mean 'Hid'?");
  Net net(small_network(), catalog());
  CHECK(message_of([&] {
          net.initialize({{"default", 1}, {"Hid", {{"V", 2}}}}, 1, "experiment.initialize");
        }) == "experiment.initialize: pattern 'Hid.V' matches no parameter");
}

TEST_CASE("a gain keeps its own first value unless a pattern other than default names it") {
  Architecture a;
  a.input({{"default", {"T", "B", 2}}});
  a["Input"] >> a.add("C", "Counting") >> a.add("D", "Dense", {{"size", 1}});
  Net net(a, catalog());
  net.initialize(kDraw, 1);
  CHECK(net.get("C.parameters.gain").doubles() == std::vector<double>{1, 1});
  net.initialize({{"default", kDraw}, {"C", {{"gain", 3}}}}, 1);
  CHECK(net.get("C.parameters.gain").doubles() == std::vector<double>{3, 3});
  net.initialize({{"*", 4}}, 1);
  CHECK(net.get("C.parameters.gain").doubles() == std::vector<double>{4, 4});
  CHECK(net.get("C.state.count").doubles() == std::vector<double>{5, 5});
  net.initialize({{"default", 0}, {"C", {{"count", {8, 9}}}}}, 1);
  CHECK(net.get("C.state.count").doubles() == std::vector<double>{8, 9});
}

TEST_CASE("each task's slice has a stream of its own, named after the task") {
  const auto with_tasks = [](const std::vector<std::string>& tasks) {
    Architecture a;
    json shapes;
    for (const auto& t : tasks) shapes[t] = {"T", "B", 3};
    a.input(shapes);
    a.add("M", "Tasks", {{"tasks", tasks}, {"size", 2}});
    for (const auto& t : tasks) a["Input." + t] >> a["M." + t];
    return a;
  };
  Net two(with_tasks({"digits", "fashion"}), catalog());
  Net three(with_tasks({"letters", "fashion", "digits"}), catalog());
  two.initialize(kDraw, 1);
  three.initialize(kDraw, 1);
  const auto slice = [](const Net& net, Index t) {
    const auto all = net.get("M.parameters.W").doubles();
    return std::vector<double>(all.begin() + t * 6, all.begin() + (t + 1) * 6);
  };
  CHECK(slice(two, 0) == slice(three, 2));
  CHECK(slice(two, 1) == slice(three, 1));
  CHECK(slice(two, 0) != slice(two, 1));
  two.initialize({{"@type", "Tells"}}, 1);
  CHECK(slice(two, 1) == std::vector<double>{2, 0, 1, 0, 0, 0});  // a matrix, no bias
  CHECK(two.get("M.parameters.bias").doubles() == std::vector<double>{1, 1, 1, 1});
  two.initialize({{"default", 0}, {"M", {{"bias", {{1, 2}, {3, 4}}}}}}, 1);
  CHECK(two.get("M.parameters.bias").doubles() == std::vector<double>{1, 2, 3, 4});
}

TEST_CASE("a network whose catalog has no initializers can still be given numbers") {
  Net net(small_network());
  net.initialize({{"default", 0}, {"Hid", {{"W", 2}}}}, 1);
  CHECK(net.get("Hid.parameters.W").value(0) == 2);
  CHECK(contains(message_of([&] { net.initialize(kDraw, 1); }), "no initializer is registered"));
}
