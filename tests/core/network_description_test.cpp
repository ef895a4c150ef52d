// Networks as descriptions, networks of descriptions, and going over to another handler.
#include "support/catch.hpp"
#include "support/graph_rig.hpp"

using namespace squall;
using namespace graph_test;

namespace {

const json kPatterns = {{"default", 0.25}, {"Hid", {{"bias", json::array({1, 2, 3, 4})}}}};

class Twice final : public DescribedAs<Modifier, Twice, NoOptions> {
 public:
  static constexpr std::string_view kType = "Twice", kDoc = "Doubles.";
  void apply(Handler& handler, const Tensor&, const Tensor& target, const ParameterContext&) override {
    handler.elementwise().affine(target, 2, 0, target);
  }
};

const Catalog& catalog() {
  static const Catalog made = [] {
    Catalog c = layer_catalog();
    c.of<Modifier>().add<Twice>();
    return c;
  }();
  return made;
}

template <class F>
std::string error_of(F&& f) {
  try {
    f();
  } catch (const ConfigError& e) {
    return e.what();
  }
  return "nothing";
}

}  // namespace

TEST_CASE("a description of a network has these keys and null for what was never given") {
  const Net net(small_network());
  const json d = net.describe();
  std::vector<std::string> keys;
  for (const auto& [key, value] : d.items()) keys.push_back(key);
  CHECK(keys == std::vector<std::string>{"@type", "architecture", "handler", "initializers", "seed", "weight_modifiers",
                                         "gradient_modifiers", "output_name"});
  CHECK(d["@type"] == "Network");
  CHECK(d["architecture"] == net.architecture().to_json());
  CHECK(d["handler"] == "cpu:f64");
  for (const char* key : {"initializers", "seed", "weight_modifiers", "gradient_modifiers", "output_name"})
    CHECK(d[key].is_null());
}

TEST_CASE("a network of a description equals the one described") {
  Net net(small_network(), catalog());
  net.initialize(kPatterns, 7);
  net.set_weight_modifiers({{"Hid", {{"W", {{"@type", "Twice"}}}}}});
  net.set_gradient_modifiers({{"default", {{"@type", "Twice"}}}});
  net.set_output_name("Hid.outputs.default");
  const json d = json::parse(net.describe().dump());  // as read from a file
  const auto again = network_from(d, catalog(), make_handler(d["handler"].get<std::string>()));
  CHECK(again->describe() == d);
  CHECK(again->get("parameters") == net.get("parameters"));
  const Batch batch = random_batch(net.graph(), 3, 2, 2);
  CHECK(train_step(net, batch) == train_step(*again, batch));
  CHECK(net.get("gradients") == again->get("gradients"));
  net.apply_weight_modifiers();
  again->apply_weight_modifiers();
  CHECK(net.get("Hid.parameters.W") == again->get("Hid.parameters.W"));
  CHECK(net.get("Hid.parameters.W").value(0) == 0.5);
}

TEST_CASE("descriptions that are none are told with all that is wrong") {
  const auto make = [](const json& d) { return error_of([&] { network_from(d, layers(), cpu()); }); };
  const std::string text = make({{"@type", "Net"}, {"handlr", "cpu"}, {"seed", -1}});
  for (const char* part : {"description.@type: should be \"Network\", not \"Net\"", "has no 'architecture'",
                           "unknown option 'handlr'; did you mean 'handler'?",
                           "description.seed: should be a whole number from 0, not -1"})
    CHECK_THAT(text, Catch::Contains(part));
  Net net(small_network());
  CHECK_THAT(error_of([&] { net.set_output_name("Hid"); }), Catch::Contains("write LAYER.outputs.NAME"));
  CHECK_THAT(error_of([&] { net.set_output_name("Hit.outputs.default"); }), Catch::Contains("did you mean 'Hid'?"));
  CHECK_THAT(error_of([&] { net.set_output_name("Hid.outputs.x"); }), Catch::Contains("outputs are: default"));
}

TEST_CASE("a handler is described by its name") {
  for (const std::string name : {"cpu:f32", "cpu:f64", "debug:cpu:f32", "debug:cpu:f64"}) {
    const auto handler = make_handler(name);
    CHECK(handler->name() == name);
    const json description = json::parse(json(handler->name()).dump());
    const auto again = make_handler(description.get<std::string>());
    CHECK(again->name() == name);
    CHECK(again->dtype() == handler->dtype());
    CHECK(again->debug() == handler->debug());
  }
  CHECK(make_handler("cpu")->name() == "cpu:f32");
}

TEST_CASE("a network that goes over to another handler keeps parameters and states and modifiers") {
  Architecture a;
  a.input({{"default", {"T", "B", 3}}});
  a["Input"] >> a.add("Hid", "Dense", {{"size", 4}}) >> a.add("Run", "Counting") >> a.add("Mem", "Leaky") >>
      a.add("Loss", "Loss");
  Net net(a, catalog(), {}, "cpu:f32");
  fill_parameters(net);
  net.set_weight_modifiers({{"Hid", {{"W", {{"@type", "Twice"}}}}}});
  HostArray keep(DType::U8, Shape{4, 3});
  for (Index i = 0; i < 12; ++i) keep.set_value(i, i % 3 == 0 ? 0 : 1);
  net.store().set_mask(*net.store().find("Hid", "W"), keep);
  const Batch batch = random_batch(net.graph(), 3, 2, 2);
  train_step(net, batch);
  net.forward(Mode::Eval);
  const double first = net.total_loss();
  const HostArray w = net.get("Hid.parameters.W");
  const auto states = net.get_states();

  std::weak_ptr<Handler> old = net.handler_pointer();
  net.set_handler(cpu("debug:cpu:f64"));
  CHECK(old.expired());
  CHECK(net.describe()["handler"] == "debug:cpu:f64");
  CHECK(largest_difference(net.get("Hid.parameters.W"), w) == 0);
  CHECK(net.get("Hid.parameters.W").dtype() == DType::F64);
  CHECK(net.store().mask(*net.store().find("Hid", "W")) == keep);
  REQUIRE(net.get_states().size() == 1);
  CHECK(largest_difference(net.get_states()[0], states[0]) == 0);
  CHECK_THROWS_AS(net.forward(Mode::Eval), DataError);  // data of passes are not kept

  net.provide(batch);
  net.forward(Mode::Eval, Start::Continue);
  CHECK_THAT(net.total_loss(), !Catch::WithinAbs(first, 1e-3));  // went on with its context
  net.forward(Mode::Eval);
  CHECK(net.total_loss() == Approx(first).epsilon(1e-5));
  train_step(net, batch);
  net.apply_weight_modifiers();
  for (Index i = 0; i < 12; ++i) CHECK(net.get("Hid.parameters.W").value(i) == Approx(2 * w.value(i)));
}
