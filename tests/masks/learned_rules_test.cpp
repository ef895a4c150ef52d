// The rules of learned masks: continuous sparsification, hard concrete, magnitude pruning.
#include "masks/learned_mask_nets.hpp"

using namespace squall;
using namespace squall::test;

namespace {

const json kSoft = {{"@type", "ContinuousSparsification"}};
const json kConcrete = {{"@type", "HardConcrete"}};
const json kMagnitude = {{"@type", "MagnitudePruning"}};

json with(json j, const std::string& key, const json& value) {
  j[key] = value;
  return j;
}
std::unique_ptr<LearnedMask> rule(const json& j) { return catalog().of<LearnedMask>().make(j, "mask", catalog()); }

}  // namespace

TEST_CASE("Scores begin as the mask says and those of biases too") {
  const MaskedNet soft(with(with(kSoft, "mask_init_value", 0.25), "mask_bias", true));
  CHECK(soft.values("W_scores") == Values(200, 0.25));
  CHECK(soft.values("bias_scores") == Values(20, 0.25));
  const MaskedNet concrete(with(kConcrete, "mask_init_percentage", 0.9));
  CHECK(concrete.values("W_scores")[0] == Approx(2.1972245773));
  CHECK(rule(with(kConcrete, "mask_init_percentage", 0))->initial_score() == Approx(-9.2102403669));
  CHECK(rule(with(kConcrete, "mask_init_percentage", 1))->initial_score() == Approx(9.2102403669));
}

TEST_CASE("Initialising again draws weights anew and puts scores back") {
  const MaskedNet m(kSoft);
  const Values before = m.values("W");
  m.spread_scores();
  m.net->initialize({{"default", {{"@type", "Uniform"}, {"low", -0.3}, {"high", 0.3}}}}, 8);
  CHECK(m.values("W") != before);
  for (const double w : m.values("W")) CHECK(std::abs(w) <= 0.3);
  CHECK(m.values("W_scores") == Values(200, 0.0));
}

TEST_CASE("What is said of a layer as a whole does not reach scores") {
  const MaskedNet m(kSoft);
  m.net->initialize({{"Layer", {{"@type", "Gaussian"}, {"std", 1.0}}}}, 8);
  CHECK(m.values("W_scores") == Values(200, 0.0));
  m.net->initialize({{"Layer", {{"W_scores", 2}, {"default", 0.5}}}}, 8);
  CHECK(m.values("W_scores") == Values(200, 2.0));
  CHECK(m.values("W") == Values(200, 0.5));
}

TEST_CASE("The soft mask is the sigmoid of temperature times score and evaluation knows no temperature") {
  const MaskedNet m(kSoft);
  m.spread_scores();
  const Values scores = m.values("W_scores"), hard = m.mask();
  set_mask_temperature(*m.net, 3.5);
  const Values soft = m.mask(Mode::Train);
  for (std::size_t i = 0; i < scores.size(); ++i) CHECK(soft[i] == Approx(sigmoid(3.5 * scores[i])).epsilon(1e-12));
  CHECK(m.mask() == hard);
  set_mask_temperature(*m.net, 1e6);
  CHECK(m.output(Mode::Train) == m.output());
  CHECK(has(error_of([&] { set_mask_temperature(*m.net, -1); }), "a temperature should not be negative, not -1"));
  const MaskedNet other(kConcrete);
  CHECK(set_mask_temperature(*other.net, 5) == 0);  // it has none that changes
}

TEST_CASE("A temperature grows by the same factor in every epoch") {
  for (const Index e : {0, 1, 50, 99, 100})
    CHECK(annealed_temperature(200, 100, e) == Approx(std::pow(200, static_cast<double>(e) / 100)).epsilon(1e-6));
  CHECK(annealed_temperature(200, 100, 1) == Approx(1.05441).epsilon(1e-5));
}

TEST_CASE("A score of zero is pruned and one above is kept") {
  for (const std::string handler : {"cpu:f32", "cpu:f64"})
    for (const json& mask : {kSoft, kConcrete}) {
      const MaskedNet m(mask, {{"@type", "Dense"}, {"units", 1}}, json::array({4}), handler);
      m.set("W_scores", {0.0, 1e-6, -1e-6, 3.0});
      CHECK(m.mask() == Values{0, 1, 0, 1});
      CHECK(m.kept() == Values{0, 1, 0, 1});
    }
}

TEST_CASE("L0 of continuous sparsification is the sum of its sigmoids in training and a count in evaluation") {
  const MaskedNet m(with(with(kSoft, "mask_init_value", 1), "mask_bias", true), {{"@type", "Dense"}, {"units", 15}});
  const auto l0 = [&] { return m.part(0).mask->last_l0() + m.part(1).mask->last_l0(); };
  m.net->forward(Mode::Train);
  CHECK(l0() == Approx(165 * sigmoid(1)).epsilon(1e-9));
  CHECK(l0() == Approx(120.6247).epsilon(1e-6));
  m.net->forward(Mode::Eval);
  CHECK(l0() == 165);
  CHECK(l0_statistics(*m.net).l0 == 165);
}

TEST_CASE("Hard concrete gates are 0 and 1 as often as the paper says") {
  struct Row {
    double p, zero, one;
  };
  for (const Row& row : {Row{0.1, 0.6453, 0.0220}, Row{0.5, 0.1682, 0.1682}, Row{0.9, 0.0220, 0.6453}}) {
    const MaskedNet m(with(kConcrete, "mask_init_percentage", row.p), {{"@type", "Dense"}, {"units", 500}},
                      json::array({400}), "cpu:f32");
    const Values gates = m.mask(Mode::Train);
    const auto n = static_cast<double>(gates.size());
    const auto near = [&](double count, double p) {
      return std::abs(count / n - p) < 4 * std::sqrt(p * (1 - p) / n) + 5e-5;  // the table has four digits
    };
    CHECK(near(static_cast<double>(zeros(gates)), row.zero));
    CHECK(near(static_cast<double>(std::count(gates.begin(), gates.end(), 1.0)), row.one));
    const Values again = m.mask(Mode::Train);
    CHECK(again != gates);  // drawn anew for every pass
  }
}

TEST_CASE("Noise depends on the seed alone") {
  const json layer = {{"@type", "Dense"}, {"units", 20}};
  const MaskedNet a(kConcrete), b(kConcrete), c(kConcrete, layer, json::array({10}), "cpu:f64", 2);
  CHECK(a.mask(Mode::Train) == b.mask(Mode::Train));
  CHECK(a.mask(Mode::Train) != c.mask(Mode::Train));
}

TEST_CASE("No gradient passes a hard concrete gate that is clipped") {
  Architecture a;
  a.input({{"x", {"B", 3}}, {"targets", {"B", 1}}});
  a["Input.x"] >> a.add("Layer", "HardConcreteLinear", {{"out_features", 1}, {"bias", false}}) >>
      a.add("Error", "SquaredError") >> a.add("Loss", "Loss");
  a["Input.targets"] >> a["Error.targets"];
  a = Architecture::from_json([&] {
    json j = a.to_json();
    j["Error"]["@outgoing_connections"] = {{"loss", {"Loss"}}};
    return j;
  }());
  Network net(a, catalog(), make_handler("cpu:f64"));
  net.initialize(json{{"default", 1.0}}, 1);
  masked_parameters(net).at(0).mask->give_noise(HostArray::of(Shape{1, 3}, Values{0.0, 0.5, 1.0}));
  net.provide(
      {{{"x", HostArray::of(Shape{1, 3}, Values{1, 1, 1})}, {"targets", HostArray::of(Shape{1, 1}, Values{4})}}});
  net.forward(Mode::Train);
  net.backward();
  const Values g = net.get("Layer.gradients.W_scores").doubles();
  CHECK(g[0] == 0);
  CHECK(std::abs(g[1]) > 0.01);
  CHECK(g[2] == 0);
  CHECK(net.get("Layer.gradients.W").doubles()[0] == 0);  // its weight is multiplied by 0
}

TEST_CASE("The mean gate of the paper is an option") {
  const MaskedNet m(with(kConcrete, "soft_eval", true), {{"@type", "Dense"}, {"units", 1}}, json::array({3}));
  m.set("W_scores", {-3, 0.5, 3});
  const Values gate = m.mask();
  CHECK(gate[0] == 0);
  CHECK(gate[1] == Approx(sigmoid(0.5) * 1.2 - 0.1));
  CHECK(gate[2] == 1);
  CHECK(m.kept() == Values{0, 1, 1});  // the subnetwork is still one of 0 and 1
}

TEST_CASE("L0 of hard concrete gates counts weights whatever the unit is") {
  for (const std::string unit : {"weight", "neuron"}) {
    const MaskedNet m(with(kConcrete, "mask_unit", unit));
    m.net->forward(Mode::Train);
    CHECK(m.part().mask->last_l0() == Approx(200 * 0.8318).epsilon(1e-4));
    CHECK(m.part().mask->max_l0() == 200);
  }
}

TEST_CASE("Stretch and temperature of hard concrete can be set") {
  const json mask = with(with(with(kConcrete, "left_stretch", -0.3), "right_stretch", 1.1), "temperature", 0.5);
  const MaskedNet m(mask, {{"@type", "Dense"}, {"units", 1}}, json::array({3}));
  const double edge = std::log((0.5 + 0.3) / (1.1 - 0.5));  // where the mean gate is 1/2
  m.set("W_scores", {edge - 0.01, edge + 0.01, 0});
  CHECK(m.mask() == Values{0, 1, 0});
  m.net->forward(Mode::Train);
  double expected = 0;
  for (const double s : m.values("W_scores")) expected += sigmoid(s - 0.5 * std::log(0.3 / 1.1));
  CHECK(m.part().mask->last_l0() == Approx(expected));
}

TEST_CASE("With a straight-through mask training sees what evaluation sees and scores learn all the same") {
  for (const json& base : {kSoft, kConcrete}) {
    const json mask = with(base, "straight_through", true);
    const MaskedNet m(mask);
    m.spread_scores();
    CHECK(m.output(Mode::Train) == m.output());
    m.net->forward(Mode::Train);
    CHECK(m.part().mask->last_l0() != std::round(m.part().mask->last_l0()));  // the penalty stays soft
  }
}

TEST_CASE("Pruning takes the smallest magnitudes") {
  const std::vector<double> w{-5, -0.1, 0.1, 4, 3};
  CHECK(rule(with(kMagnitude, "prune_percentage", 0.4))->choose(w) == Bytes{1, 0, 0, 1, 1});
  const json compat = with(with(kMagnitude, "prune_percentage", 0.4), "signed_compat", true);
  CHECK(rule(compat)->choose(w) == Bytes{0, 0, 1, 1, 1});  // the original's
}

TEST_CASE("Pruning keeps exactly as many as it says") {
  std::vector<double> w(100000);
  for (std::size_t i = 0; i < w.size(); ++i) w[i] = static_cast<double>((i * 7919) % w.size()) - 5000.5;
  const auto kept = [&](double p) {
    const auto keep = rule(with(kMagnitude, "prune_percentage", p))->choose(w);
    return std::count(keep.begin(), keep.end(), 1);
  };
  CHECK(kept(0.9) == 10000);
  CHECK(kept(0.1) == 90000);
  CHECK(kept(0.5) == 50000);
  CHECK(kept(0) == 100000);
  CHECK(kept(1) == 0);
}

TEST_CASE("Pruning works beyond 2 to the 24 weights") {
  const std::size_t n = (std::size_t{1} << 24) + 3;
  std::vector<double> w(n);
  for (std::size_t i = 0; i < n; ++i) w[i] = static_cast<double>(i);
  const auto keep = rule(with(kMagnitude, "prune_percentage", 0.75))->choose(w);
  CHECK(std::count(keep.begin(), keep.end(), 1) == static_cast<std::ptrdiff_t>(n) - 12582914);
  CHECK(keep.front() == 0);
  CHECK(keep.back() == 1);
}

TEST_CASE("Ablating pruned layers is the exact complement with ties too") {
  for (const double p : {0.0, 0.3, 0.5, 1.0}) {
    const MaskedNet m(with(kMagnitude, "prune_percentage", p));
    Values w = m.values("W");
    for (double& v : w) v = std::round(v);  // many ties
    m.set("W", w);
    const Values kept = m.mask();
    m.ablate(Ablation::ZeroAblate);
    const Values rest = m.mask();
    for (std::size_t i = 0; i < kept.size(); ++i) CHECK(kept[i] + rest[i] == 1);
    CHECK(m.mask(Mode::Train) == rest);  // in training, too
  }
}

TEST_CASE("A pruned layer chooses anew when its weights have changed") {
  const MaskedNet m(with(kMagnitude, "prune_percentage", 0.5), {{"@type", "Dense"}, {"units", 1}}, json::array({4}));
  m.set("W", {1, 2, 3, 4});
  CHECK(m.mask(Mode::Train) == Values{0, 0, 1, 1});
  m.set("W", {-9, 2, 3, 4});
  CHECK(m.mask(Mode::Train) == Values{1, 0, 0, 1});
}
