// Modifiers of weights and gradients: which parameters they reach, in which order, slice by slice.
#include "squall/core/parameters.hpp"

#include "support/catch.hpp"
#include "support/graph_rig.hpp"

using namespace squall;
using namespace graph_test;

namespace {

struct AmountOptions {
  double by = 1;
  static constexpr auto fields = std::tuple{field("by", &AmountOptions::by, "how much")};
};
class Plus final : public DescribedAs<Modifier, Plus, AmountOptions> {
 public:
  static constexpr std::string_view kType = "Plus", kDoc = "Adds.";
  void apply(Handler& handler, const Tensor&, const Tensor& target, const ParameterContext&) override {
    handler.elementwise().affine(target, 1, options.by, target);
  }
};
class Times final : public DescribedAs<Modifier, Times, AmountOptions> {
 public:
  static constexpr std::string_view kType = "Times", kDoc = "Multiplies.";
  void apply(Handler& handler, const Tensor&, const Tensor& target, const ParameterContext&) override {
    handler.elementwise().affine(target, options.by, 0, target);
  }
};
// gradient += by * value
class Decay final : public DescribedAs<Modifier, Decay, AmountOptions> {
 public:
  static constexpr std::string_view kType = "Decay", kDoc = "Pulls to zero.";
  bool only_for_gradients() const override { return true; }
  void apply(Handler& handler, const Tensor& value, const Tensor& target, const ParameterContext&) override {
    handler.elementwise().affine(value, options.by, 0, Sink(target, Write::Add));
  }
};
// Counts its calls: each parameter and slice has a modifier of its own. Weights become number of calls.
class Calls final : public DescribedAs<Modifier, Calls, NoOptions> {
 public:
  static constexpr std::string_view kType = "Calls", kDoc = "Counts.";
  void apply(Handler& handler, const Tensor&, const Tensor& target, const ParameterContext& p) override {
    if (target.shape() != p.shape) raise<ShapeError>("told ", p.shape, ", given ", target.shape());
    handler.elementwise().fill(target, ++calls_);
  }

 private:
  int calls_ = 0;
};

const Catalog& catalog() {
  static const Catalog made = [] {
    Catalog c = layer_catalog();
    c.of<Modifier>().add<Plus>();
    c.of<Modifier>().add<Times>();
    c.of<Modifier>().add<Decay>();
    c.of<Modifier>().add<Calls>();
    return c;
  }();
  return made;
}

json plus(double by) { return {{"@type", "Plus"}, {"by", by}}; }
json times(double by) { return {{"@type", "Times"}, {"by", by}}; }

struct Trained {
  Net net;
  Batch batch;
  explicit Trained(const Architecture& a = small_network()) : net(a, catalog()) {
    net.initialize(0.5, 0);
    batch = random_batch(net.graph(), 1);
  }
  void step() { train_step(net, batch); }
};

Architecture task_network() {
  Architecture a;
  a.input({{"a", {"T", "B", 2}}, {"b", {"T", "B", 2}}});
  a.add("M", "Tasks", {{"tasks", {"a", "b"}}, {"size", 2}});
  for (const std::string t : {"a", "b"}) {
    a["Input." + t] >> a["M." + t];
    a["M." + t] >> a.add("Sq_" + t, "Square") >> a.add("Loss_" + t, "Loss");
  }
  return a;
}

}  // namespace

TEST_CASE("weight modifiers change the parameters their patterns reach, after training passes only when asked") {
  Trained t;
  t.net.set_weight_modifiers({{"Hid", {{"W", plus(1)}}}});
  t.step();
  CHECK(t.net.get("Hid.parameters.W").value(0) == 0.5);
  t.net.apply_weight_modifiers();
  CHECK(t.net.get("Hid.parameters.W").doubles() == std::vector<double>(12, 1.5));
  CHECK(t.net.get("Hid.parameters.bias").value(0) == 0.5);
  CHECK(t.net.get("Out.parameters.W").value(0) == 0.5);
}

TEST_CASE("modifiers of a list run in its order") {
  Trained t;
  t.net.set_weight_modifiers({{"Hid", {plus(1), times(10)}}, {"Out", {times(10), plus(1)}}});
  t.step();
  t.net.apply_weight_modifiers();
  CHECK(t.net.get("Hid.parameters.W").value(0) == 15);
  CHECK(t.net.get("Out.parameters.bias").value(0) == 6);
}

TEST_CASE("patterns that reach one parameter run in the order in which they are written") {
  Trained t;
  t.net.set_weight_modifiers({{"*", times(10)}, {"Hid", {{"W", plus(1)}}}});
  t.step();
  t.net.apply_weight_modifiers();
  CHECK(t.net.get("Hid.parameters.W").value(0) == 6);
  CHECK(t.net.get("Hid.parameters.bias").value(0) == 5);
}

TEST_CASE("setting modifiers again replaces the old ones") {
  Trained t;
  t.net.set_weight_modifiers(plus(1));
  t.net.set_weight_modifiers({{"Hid", plus(2)}});
  t.step();
  t.net.apply_weight_modifiers();
  CHECK(t.net.get("Hid.parameters.W").value(0) == 2.5);
  CHECK(t.net.get("Out.parameters.W").value(0) == 0.5);
  t.net.set_weight_modifiers(nullptr);
  t.net.apply_weight_modifiers();
  CHECK(t.net.get("Hid.parameters.W").value(0) == 2.5);
}

TEST_CASE("gradient modifiers run at the end of every backward pass and see the values") {
  Trained plain;
  plain.step();
  Trained t;
  t.net.set_gradient_modifiers({{"Hid", {{"@type", "Decay"}, {"by", 0.1}}}, {"Out", {{"W", times(2)}}}});
  for (int i = 0; i < 2; ++i) {
    t.step();
    for (Index k = 0; k < 12; ++k)
      CHECK(t.net.get("Hid.gradients.W").value(k) == Approx(plain.net.get("Hid.gradients.W").value(k) + 0.05));
    CHECK(t.net.get("Out.gradients.W").value(3) == 2 * plain.net.get("Out.gradients.W").value(3));
    CHECK(t.net.get("Out.gradients.bias") == plain.net.get("Out.gradients.bias"));
  }
}

TEST_CASE("every parameter has a modifier of its own") {
  Trained t;
  t.net.set_weight_modifiers({{"@type", "Calls"}});
  t.step();
  t.net.apply_weight_modifiers();
  t.net.apply_weight_modifiers();
  for (const char* path : {"Hid.parameters.W", "Out.parameters.bias"}) CHECK(t.net.get(path).value(0) == 2);
}

TEST_CASE("only what the last pass trains is modified") {
  Architecture a = small_network();
  Net net(a, catalog(), {.frozen = {"Hid"}});
  net.initialize(0.5, 0);
  net.set_weight_modifiers(plus(1));
  net.set_gradient_modifiers(plus(1));
  train_step(net, random_batch(net.graph(), 1));
  net.apply_weight_modifiers();
  CHECK(net.get("Hid.parameters.W").value(0) == 0.5);
  CHECK(all_zero(net.get("Hid.gradients.W")));
  CHECK(net.get("Out.parameters.W").value(0) == 1.5);
}

TEST_CASE("slices of tasks that rest are not modified") {
  Trained t(task_network());
  t.net.set_weight_modifiers({{"@type", "Calls"}});
  t.net.set_gradient_modifiers(plus(100));
  train_step(t.net, t.batch, {"Loss_b"});
  t.net.apply_weight_modifiers();
  CHECK(t.net.get("M.parameters.W").doubles() == std::vector<double>{0.5, 0.5, 0.5, 0.5, 1, 1, 1, 1});
  CHECK(t.net.get("M.parameters.bias").doubles() == std::vector<double>{0.5, 0.5, 1, 1});
  CHECK(t.net.get("M.gradients.bias").value(0) == 0);
  CHECK(t.net.get("M.gradients.bias").value(2) > 50);
}

TEST_CASE("packed parameters are modified slice by slice, each owner its own weights, once") {
  Trained t(task_network());
  ParameterEntry* w = t.net.store().find("M", "W");
  t.net.store().set_mask(*w, HostArray::of<std::uint8_t>(Shape{2, 2, 2}, {1, 1, 0, 0, 0, 0, 1, 0}));
  t.net.store().pack({w});
  Trained plain(task_network());
  plain.net.store().set_mask(*plain.net.store().find("M", "W"),
                             HostArray::of<std::uint8_t>(Shape{2, 2, 2}, {1, 1, 0, 0, 0, 0, 1, 0}));
  for (Trained* one : {&t, &plain}) {
    one->net.set_gradient_modifiers({{"M", {{"W", {{"@type", "Decay"}, {"by", 0.1}}}}}});
    one->net.set_weight_modifiers({{"M", {{"W", plus(1)}}}});
    train_step(one->net, one->batch);
    one->net.apply_weight_modifiers();
  }
  CHECK(t.net.get("M.gradients.W") == plain.net.get("M.gradients.W"));
  CHECK(t.net.get("M.parameters.W").doubles() == std::vector<double>{1.5, 1.5, 0, 0, 0, 0, 1.5, 0});
  CHECK(plain.net.get("M.parameters.W") == t.net.get("M.parameters.W"));
  for (Trained* one : {&t, &plain}) {
    train_step(one->net, one->batch, {"Loss_a"});
    one->net.apply_weight_modifiers();
    CHECK(one->net.get("M.parameters.W").doubles() == std::vector<double>{2.5, 2.5, 0, 0, 0, 0, 1.5, 0});
  }
}

TEST_CASE("a modifier never brings masked weights back") {
  Trained t;
  t.net.store().set_mask(*t.net.store().find("Out", "W"),
                         HostArray::of<std::uint8_t>(Shape{2, 4}, {1, 0, 1, 0, 1, 0, 1, 0}));
  t.net.set_weight_modifiers({{"Out", {{"W", plus(1)}}}});
  t.step();
  t.net.apply_weight_modifiers();
  CHECK(t.net.get("Out.parameters.W").doubles() == std::vector<double>{1.5, 0, 1.5, 0, 1.5, 0, 1.5, 0});
  t.step();
  CHECK(t.net.get("Out.gradients.W").value(1) == 0);
  CHECK(t.net.parameters().elements() > 0);
}

TEST_CASE("a default modifier leaves gains alone, a pattern that names them does not") {
  Architecture a;
  a.input({{"default", {"T", "B", 2}}});
  a["Input"] >> a.add("C", "Counting") >> a.add("D", "Dense", {{"size", 1}}) >> a.add("Loss", "Loss");
  Trained t(a);
  t.net.set_weight_modifiers(plus(1));
  t.step();
  t.net.apply_weight_modifiers();
  CHECK(t.net.get("C.parameters.gain").value(0) == 1);
  CHECK(t.net.get("D.parameters.W").value(0) == 1.5);
  t.net.set_weight_modifiers({{"C", plus(1)}});
  t.net.apply_weight_modifiers();
  CHECK(t.net.get("C.parameters.gain").value(0) == 2);
}

TEST_CASE("mistakes in modifiers are told, once each") {
  Trained t;
  const auto error = [&](const json& patterns) { return message_of([&] { t.net.set_weight_modifiers(patterns); }); };
  CHECK(error({{"@type", "Pluss"}}) ==
        "weight_modifiers: unknown type 'Pluss'; did you mean 'Plus'?; known are: Calls, Decay, Plus, Times");
  CHECK(error({{"Hod", plus(1)}}) == "weight_modifiers: pattern 'Hod' matches no layer; did you mean 'Hid'?");
  CHECK(error({{"Hid", {{"@type", "Decay"}}}}) ==
        "weight_modifiers: Decay changes gradients; it belongs into gradient_modifiers");
  CHECK(error({{"Hid", 3}}) == "weight_modifiers: should be an object with an '@type'");
  CHECK(error({{"default", plus(1)}, {"fallback", plus(1)}}) ==
        "weight_modifiers: 'fallback' is for initializers; modifiers have none");
  CHECK(message_of([&] {
          t.net.set_gradient_modifiers({{"Hid", {{"@type", "Decay"}, {"x", 1}}}});
        }) == "gradient_modifiers: unknown option 'x'; did you mean 'by'?; options are: by");
}
