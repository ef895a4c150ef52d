// Masks over a finished network: put on by patterns, trained over frozen weights, counted, compared, applied.
#include "masks/learned_mask_nets.hpp"
#include "squall/training/subnetworks.hpp"

using namespace squall;
using namespace squall::test;

namespace {

const json kMask = {{"@type", "ContinuousSparsification"}};

json with(json j, const std::string& key, const json& value) {
  j[key] = value;
  return j;
}

Architecture plain_architecture() {
  Architecture a;
  a.input({{"x", {"B", 6}}, {"targets", {"B", 1}}});
  a["Input.x"] >> a.add("Hidden", "Dense", {{"units", 8}, {"activation", "tanh"}}) >>
      a.add("Top", "Dense", {{"units", 3}}) >> a.add("Criterion", "SoftmaxCE");
  a["Input.targets"] >> a["Criterion.targets"];
  a["Criterion.loss"] >> a.add("Loss", "Loss");
  return a;
}

void give_data(Network& net) {
  Values x(16 * 6), t(16);
  Rng rng(4, "data");
  for (double& v : x) v = rng.normal();
  for (double& v : t) v = static_cast<double>(rng.below(3));
  net.provide({{{"x", HostArray::of(Shape{16, 6}, x)}, {"targets", HostArray::of(Shape{16, 1}, t)}}});
}

std::unique_ptr<Network> plain_network() {
  auto net = std::make_unique<Network>(plain_architecture(), catalog(), make_handler("cpu:f64"));
  net->initialize({{"default", {{"@type", "Gaussian"}, {"std", 0.7}}}}, 2);
  give_data(*net);
  return net;
}

void train(Network& net, int steps, double rate = 0.5) {
  Stepper stepper(catalog().of<UpdateRule>().make({{"@type", "Sgd"}, {"learning_rate", rate}}, "rule", catalog()));
  stepper.start(net);
  PassRequest request;
  request.mode = Mode::Train;
  const PassId pass = net.pass(request);
  Progress progress;
  for (int i = 0; i < steps; ++i) stepper.step(pass, progress, Start::Fresh);
}

std::string why_not(const json& patterns) {
  return error_of([&] { with_masks(plain_architecture(), patterns, catalog()); });
}

}  // namespace

TEST_CASE("One pattern masks every layer that has weights and keeps what was learned") {
  auto net = plain_network();
  const Values w = net->get("Hidden.parameters.W").doubles();
  const PassId before = net->pass(Mode::Eval);
  net->forward(before);
  const double loss = net->total_loss();
  net->attach_masks({{"*", with(kMask, "mask_init_value", 1)}});
  const auto masks = masked_parameters(*net);
  REQUIRE(masks.size() == 2);
  CHECK(masks[0].layer == "Hidden");
  CHECK(masks[1].layer == "Top");
  CHECK(net->get("Hidden.parameters.W").doubles() == w);
  give_data(*net);
  net->forward(before);  // passes keep their ids
  CHECK(net->total_loss() == loss);
  CHECK(net->describe()["architecture"]["Hidden"]["@masks"]["@type"] == "ContinuousSparsification");
  CHECK(has(error_of([&] { net->attach_masks({{"Top", kMask}}); }), "layer 'Top' has masks already"));
}

TEST_CASE("Masks go on by name of layer or parameter and a name beats a pattern") {
  Network net(with_masks(plain_architecture(),
                         {{"*", kMask},
                          {"Top", {{"@type", "HardConcrete"}, {"mask_bias", true}}},
                          {"Hidden.bias", {{"@type", "MagnitudePruning"}}}},
                         catalog()),
              catalog(), make_handler("cpu:f64"));
  std::vector<std::string> found;
  for (const auto& one : masked_parameters(net))
    found.push_back(one.layer + "." + one.name + " " + std::string(one.mask->rule().type()));
  CHECK(found == std::vector<std::string>{"Hidden.W ContinuousSparsification", "Hidden.bias MagnitudePruning",
                                          "Top.W HardConcrete", "Top.bias HardConcrete"});
}

TEST_CASE("What cannot be masked is told with the pattern") {
  CHECK(has(why_not({{"Hiden", kMask}}), "masks: pattern 'Hiden' matches no layer and no parameter"));
  CHECK(has(why_not({{"Hiden", kMask}}), "did you mean 'Hidden'"));
  CHECK(has(why_not({{"Loss", kMask}}), "'Loss' matches only layers that have no weights to mask"));
  CHECK(has(why_not({{"H*", kMask}, {"*n", with(kMask, "temperature", 2)}}), "both reach 'Hidden'"));
  CHECK(has(why_not({{"*", {{"@type", "HardConcret"}}}}), "did you mean 'HardConcrete'"));
  CHECK(has(why_not({{"*", with(kMask, "temperature", -2)}}), "masks.*: option 'temperature' should not be negative"));
  CHECK(has(why_not({{"*", with(kMask, "warmth", 2)}}), "unknown option 'warmth'"));
  CHECK(has(why_not(kMask), "should be patterns to masks"));
  CHECK(has(error_of([] {
              Architecture a = plain_architecture();
              json j = a.to_json();
              j["Hidden"]["@masks"] = {{"V", kMask}};
              Network net(Architecture::from_json(j), catalog(), make_handler("cpu:f64"));
            }),
            "network.Hidden.@masks: has no parameter 'V'"));
}

TEST_CASE("A mask may lie over layers that are not dense") {
  Architecture a;
  a.input({{"x", {"T", "B", 5}}});
  a["Input.x"] >> a.add("Memory", "Lstm", {{"size", 4}});
  Network net(with_masks(a, {{"*", with(kMask, "mask_init_value", 1)}}, catalog()), catalog(), make_handler("cpu:f64"));
  CHECK(masked_parameters(net).size() >= 8);  // four gates, from the input and back
  CHECK(l0_statistics(net).l0 == l0_statistics(net).max_l0);
}

TEST_CASE("Each task of a multi layer has scores of its own") {
  NetOptions o;
  o.handler = "cpu:f64";
  Network net(with_masks(make_architecture(o), {{"hidden", with(kMask, "mask_unit", "neuron")}}, catalog()), catalog(),
              make_handler("cpu:f64"));
  net.initialize({{"default", {{"@type", "Gaussian"}, {"std", 0.5}}}}, 1);
  CHECK(net.get("hidden.parameters.W_scores").shape() == Shape{2, 12, 1});
  auto data = make_data(o, 16, 5);
  CHECK(has(error_of([&] { net.store().pack({net.store().find("hidden", "W")}); }), "lies under a learned mask"));
}

TEST_CASE("Over frozen weights masks learn and nothing else moves") {
  for (const std::string type : {"ContinuousSparsification", "HardConcrete"}) {
    auto net = plain_network();
    const json states = net->describe();
    const auto values = [&](const char* name) { return net->get(name).doubles(); };
    const Values w = values("Hidden.parameters.W"), v = values("Top.parameters.W"), b = values("Top.parameters.bias");
    net->attach_masks({{"*", {{"@type", type}, {"mask_bias", true}}}});
    give_data(*net);
    const Values scores = values("Hidden.parameters.W_scores");
    train(*net, 10);
    CHECK(values("Hidden.parameters.W") == w);
    CHECK(values("Top.parameters.W") == v);
    CHECK(values("Top.parameters.bias") == b);
    const Values after = values("Hidden.parameters.W_scores");
    for (std::size_t i = 0; i < after.size(); ++i) CHECK(after[i] != scores[i]);
  }
}

TEST_CASE("frozen layers keep their weights and their masks learn") {
  auto net = plain_network();
  net->attach_masks({{"Hidden", with(kMask, "freeze_weights", false)}});
  give_data(*net);
  PassRequest request;
  request.mode = Mode::Train;
  request.frozen = {"*"};
  const PassId pass = net->pass(request);
  std::vector<std::string> trained;
  for (const auto& piece : net->trainable(pass)) trained.push_back(piece.entry->info->name);
  CHECK(trained == std::vector<std::string>{"W_scores"});
}

TEST_CASE("Weights and scores learn together where nothing is frozen") {
  auto net = plain_network();
  const Values w = net->get("Hidden.parameters.W").doubles();
  net->attach_masks({{"*", with(kMask, "freeze_weights", false)}});
  give_data(*net);
  train(*net, 3);
  CHECK(net->get("Hidden.parameters.W").doubles() != w);
  CHECK(net->get("Hidden.parameters.W_scores").doubles()[0] != 0);
}

TEST_CASE("A larger penalty leaves fewer weights and is part of the loss") {
  Index before = 1000;
  for (const double lambda : {0.0, 0.003, 0.03}) {
    auto net = plain_network();
    net->attach_masks({{"*", with(with(kMask, "l0_lambda", lambda), "mask_init_value", 0.05)}});
    give_data(*net);
    train(*net, 60, 2);
    const Index l0 = l0_statistics(*net).l0;
    CHECK(l0 < before);
    before = l0;
    net->forward(Mode::Train);
    const LossReport report = net->losses();
    double penalty = 0;
    for (const auto& one : masked_parameters(*net)) penalty += lambda * one.mask->last_l0();
    if (lambda > 0) CHECK(report.losses.back().name == "l0_penalty");
    CHECK(report.total == Approx(report.losses[0].value + penalty));
    CHECK(net->total_loss() == Approx(report.total));
    net->forward(Mode::Eval);
    CHECK(net->losses().losses.size() == 1);
  }
}

TEST_CASE("Statistics of L0 are sums over layers and change nothing") {
  auto net = plain_network();
  net->attach_masks({{"*", with(with(kMask, "mask_bias", true), "mask_init_value", 1)}});
  set_ablation(*net, Ablation::ZeroAblate, false, "Top");
  const L0Statistics l0 = l0_statistics(*net);
  REQUIRE(l0.layers.size() == 2);
  CHECK(l0.layers[0].l0 == 56);
  CHECK(l0.layers[0].max_l0 == 56);
  CHECK(l0.layers[1].l0 == 0);
  CHECK(l0.layers[1].max_l0 == 27);
  CHECK(l0.l0 == 56);
  CHECK(l0.max_l0 == 83);
  CHECK(masked_parameters(*net)[2].mask->ablation() == Ablation::ZeroAblate);
}

TEST_CASE("Shares of two subnetworks add up to one in every tensor and layer") {
  auto a = plain_network(), b = plain_network();
  for (auto* net : {a.get(), b.get()}) net->attach_masks({{"*", with(kMask, "mask_bias", true)}});
  Values x(48, -1.0), y(48, -1.0);
  for (std::size_t i = 0; i < 12; ++i) x[i] = 1;
  for (std::size_t i = 6; i < 30; ++i) y[i] = 1;
  a->set_parameter("Hidden.W_scores", HostArray::of(Shape{8, 6}, x));
  b->set_parameter("Hidden.W_scores", HostArray::of(Shape{8, 6}, y));
  const OverlapReport report = compare_subnetworks(*a, *b);
  REQUIRE(report.layers.size() == 2);
  REQUIRE(report.tensors.size() == 4);
  const SubnetworkOverlap& w = report.tensors[0];
  CHECK(w.both == 6);
  CHECK(w.first_only == 6);
  CHECK(w.second_only == 18);
  CHECK(w.neither == 18);
  CHECK(w.jaccard() == Approx(0.2));
  CHECK(w.first_in_second() == Approx(0.5));
  CHECK(w.second_in_first() == Approx(0.25));
  const auto all_of = [](const json& o) {
    return o["both"].get<double>() + o["first_only"].get<double>() + o["second_only"].get<double>() +
           o["neither"].get<double>();
  };
  const json written = report.to_json();
  for (const char* list : {"layers", "parameters"})
    for (const auto& one : written[list]) CHECK(all_of(one) == Approx(1));
  CHECK(all_of(written["total"]) == Approx(1));
  auto plain = plain_network();
  CHECK(has(error_of([&] { compare_subnetworks(*a, *plain); }), "masks over 4 parameters, the other over 0"));
}

TEST_CASE("A subnetwork can be applied for good and computes the same") {
  auto net = plain_network();
  net->attach_masks({{"*", {{"@type", "MagnitudePruning"}, {"prune_percentage", 0.8}}}});
  give_data(*net);
  net->forward(Mode::Eval);
  const double loss = net->total_loss();
  const auto applied = apply_masks(*net);
  give_data(*applied);
  applied->forward(Mode::Eval);
  CHECK(applied->total_loss() == Approx(loss).epsilon(1e-12));
  CHECK(masked_parameters(*applied).empty());
  CHECK(applied->store().find("Hidden", "W")->form == ParameterForm::Masked);
}

TEST_CASE("Masks go over to another handler with their settings") {
  auto net = plain_network();
  net->attach_masks({{"*", {{"@type", "ContinuousSparsification"}, {"mask_init_value", 1}}}});
  set_ablation(*net, Ablation::ZeroAblate);
  set_mask_temperature(*net, 7);
  net->set_handler(make_handler("cpu:f32"));
  CHECK(masked_parameters(*net)[0].mask->ablation() == Ablation::ZeroAblate);
  CHECK(masked_parameters(*net)[0].mask->temperature() == 7);
  give_data(*net);
  net->forward(Mode::Eval);
  CHECK(l0_statistics(*net).l0 == 0);
}

TEST_CASE("A probe learns on the residual stream of a frozen network and the stream is the sum of its updates") {
  Architecture a;
  a.input({{"x", {"B", 6}}, {"targets", {"B", 1}}});
  a.add("First", "Dense", {{"units", 6}, {"activation", "tanh"}});
  a.add("Middle", "SumLayer", {{"tasks", {"inputs_1", "inputs_2"}}});
  a.add("Second", "Dense", {{"units", 6}, {"activation", "tanh"}});
  a.add("Stream", "SumLayer", {{"tasks", {"inputs_1", "inputs_2"}}});
  a.add("Probe", "Dense", {{"units", 3}});
  a.add("Criterion", "SoftmaxCE");
  a.add("Loss", "Loss");
  for (const Connection& c : {Connection{"Input", "x", "First", "default"},
                              {"Input", "x", "Middle", "inputs_1"},
                              {"First", "default", "Middle", "inputs_2"},
                              {"Middle", "default", "Second", "default"},
                              {"Middle", "default", "Stream", "inputs_1"},
                              {"Second", "default", "Stream", "inputs_2"},
                              {"Stream", "default", "Probe", "default"},
                              {"Probe", "default", "Criterion", "default"},
                              {"Input", "targets", "Criterion", "targets"},
                              {"Criterion", "loss", "Loss", "default"}})
    a.connect(c);
  NetworkOptions options;
  options.frozen = {"First", "Second"};
  Network net(with_masks(a, {{"First", kMask}, {"Second", kMask}}, catalog()), catalog(), make_handler("cpu:f64"),
              options);
  net.initialize({{"default", {{"@type", "Gaussian"}, {"std", 0.7}}}}, 2);
  for (const char* output : {"First.default", "Second.default", "Stream.default"}) net.pin(output);
  give_data(net);
  const auto values = [&](const char* path) { return net.get(path).doubles(); };
  const Values w = values("First.parameters.W"), scores = values("First.parameters.W_scores");
  const Values probe = values("Probe.parameters.W");
  train(net, 5);
  CHECK(values("First.parameters.W") == w);
  CHECK(values("First.parameters.W_scores") != scores);  // masks and probe learn together
  CHECK(values("Probe.parameters.W") != probe);
  net.forward(Mode::Eval);
  const Values x = values("Input.outputs.x"), first = values("First.outputs.default");
  const Values second = values("Second.outputs.default"), stream = values("Stream.outputs.default");
  for (std::size_t i = 0; i < x.size(); ++i) CHECK(stream[i] == x[i] + first[i] + second[i]);
}
