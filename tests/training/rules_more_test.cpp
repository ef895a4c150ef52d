// Options of update rules that formulas alone do not show: groups, schedules of the momentum, packed weights.
#include <cmath>

#include "training_support.hpp"

using namespace training_test;

namespace {

Batch one_batch(std::uint64_t seed = 1) {
  Undivided all(blobs(12, 4, 3, seed));
  Batch batch;
  all.next(batch);
  return batch;
}

std::vector<double> value(const Network& n, const std::string& path) { return n.get(path).doubles(); }

}  // namespace

TEST_CASE("Every rule makes a quadratic smaller") {
  for (const json& rule : every_rule()) {
    INFO(rule.dump());
    Net net(regressor(3, 1));
    std::vector<double> x, t;
    Rng rng(3, "line");
    for (int i = 0; i < 20; ++i) {
      double sum = 0;
      for (int k = 0; k < 3; ++k) sum += (k + 1) * x.emplace_back(rng.normal());
      t.push_back(sum);
    }
    const auto s = stepper(rule);
    s->start(net.network);
    net.network.provide(
        {{{"default", HostArray::of(Shape{1, 20, 3}, x)}, {"targets", HostArray::of(Shape{1, 20, 1}, t)}}});
    double first = 0, last = 0;
    for (int step = 0; step < 200; ++step) {
      s->step(net.network.pass(Mode::Train), {0, step});
      last = net.network.total_loss();
      if (step == 0) first = last;
    }
    CHECK(last < 0.97 * first);
  }
}

TEST_CASE("Groups give layers and parameters options of their own") {
  const json rule = {{"@type", "Sgd"},
                     {"learning_rate", 0.1},
                     {"groups",
                      {{"Hid.bias", {{"learning_rate", 0.0}}},
                       {"Hid", {{"weight_decay", 0.5}}},
                       {"Out", {{"learning_rate", 0.3}, {"momentum", 0.9}}}}}};
  Net net(classifier(4, 5, 3));
  Network& n = net.network;
  const auto s = stepper(rule);
  s->start(n);
  std::map<std::string, std::vector<double>> want;
  std::map<std::string, std::vector<double>> velocity;
  const std::vector<std::string> names{"Hid.W", "Hid.bias", "Out.W", "Out.bias"};
  const auto path = [](const std::string& name, const std::string& kind) {
    return name.substr(0, 4) + kind + name.substr(3);
  };
  for (int step = 0; step < 3; ++step) {
    if (step == 2) CHECK(s->rule().set("learning_rate", 0.05));  // only where there is no rate of their own
    std::map<std::string, std::vector<double>> before;
    for (const auto& name : names) before[name] = value(n, path(name, "parameters"));
    n.provide(one_batch());
    s->step(n.pass(Mode::Train), {0, step});
    for (const auto& name : names) {
      const auto g = value(n, path(name, "gradients")), after = value(n, path(name, "parameters"));
      auto& v = velocity[name];
      v.resize(g.size(), 0.0);
      for (std::size_t i = 0; i < g.size(); ++i) {
        const bool out = name.starts_with("Out");
        const double rate = out ? 0.3 : name == "Hid.bias" ? 0.0 : step == 2 ? 0.05 : 0.1;
        v[i] = out ? 0.9 * v[i] + g[i] : g[i] + (name == "Hid.W" ? 0.5 * before[name][i] : 0);
        CHECK(after[i] == Approx(before[name][i] - rate * v[i]).epsilon(1e-12).margin(1e-14));
      }
    }
  }
  json wrong = rule;
  wrong["groups"] = {{"Hidd", {{"learning_rate", 0.1}}}};
  CHECK(mentions(complaint([&] { stepper(wrong)->start(n); }), "'Hidd'"));
  wrong["groups"] = {{"Hid", {{"lerning_rate", 0.1}}}};
  CHECK(mentions(complaint([&] { stepper(wrong); }), "learning_rate"));
  wrong["groups"] = {{"Hid", 3}};
  CHECK(mentions(complaint([&] { stepper(wrong); }), "groups.Hid"));
}

TEST_CASE("A momentum may be a schedule and is set like a learning rate") {
  const json linear = {{"@type", "Linear"}, {"initial_value", 0.8}, {"final_value", 0.4}, {"num_changes", 2}};
  Net a(classifier(4, 5, 3)), b(classifier(4, 5, 3));
  const auto scheduled = stepper({{"@type", "Sgd"}, {"momentum", linear}});
  const auto set = stepper({{"@type", "Sgd"}, {"momentum", 0.8}});
  scheduled->start(a.network);
  set->start(b.network);
  for (int epoch = 0; epoch < 3; ++epoch) {
    CHECK(set->rule().set("momentum", 0.8 - 0.2 * epoch));
    for (auto [net, s] : {std::pair{&a, scheduled.get()}, std::pair{&b, set.get()}}) {
      net->network.provide(one_batch());
      s->step(net->network.pass(Mode::Train), {epoch, epoch});
    }
  }
  const auto p = parameters(a.network), q = parameters(b.network);
  for (std::size_t i = 0; i < p.size(); ++i) CHECK(p[i] == Approx(q[i]).epsilon(1e-12));
  CHECK_FALSE(make<UpdateRule>({{"@type", "Sgd"}})->set("momentum", 0.5));
  CHECK(make<UpdateRule>({{"@type", "Adam"}})->set("beta1", 0.8));
}

TEST_CASE("The names of rules are told when one is misspelt") {
  for (const auto& [wrong, right] : std::vector<std::pair<std::string, std::string>>{{"RMSprop", "RmsProp"},
                                                                                     {"Adadelta", "AdaDelta"},
                                                                                     {"Adamax", "AdaMax"},
                                                                                     {"ASGD", "Asgd"},
                                                                                     {"Rprop", "RProp"}})
    CHECK(mentions(complaint([&, w = wrong] { make<UpdateRule>({{"@type", w}}); }), right));
  CHECK(mentions(complaint([] { make<UpdateRule>({{"@type", "Adam"}, {"weight_decay", -1}}); }), "weight_decay"));
  CHECK(mentions(complaint([] { make<UpdateRule>({{"@type", "Sgd"}, {"nesterov", true}}); }), "momentum"));
  CHECK(mentions(complaint([] { make<UpdateRule>({{"@type", "RProp"}, {"grow", 0.9}}); }), "grow"));
}

TEST_CASE("A forward stepper changes nothing and measures all the same") {
  for (const bool training : {false, true}) {
    Net net(classifier(4, 5, 3, 0.5));
    const auto before = parameters(net.network);
    Minibatches data(blobs(12, 4, 3, 1), {.batch_size = 6});
    Trainer trainer(net.network, stepper({{"@type", "ForwardStepper"}, {"use_training_pass", training}}), {Task()});
    trainer.add_hook(make<Hook>({{"@type", "MonitorLoss"}}));
    trainer.train(data, {{"validation", &data}}, 1);
    CHECK(parameters(net.network) == before);
    const double rolling = trainer.logs().find("rolling_training.total_loss")->back();
    const double measured = trainer.logs().find("validation.total_loss")->back();
    CHECK((rolling == Approx(measured).epsilon(1e-12)) == !training);  // dropout is on in a training pass
  }
}

TEST_CASE("All gradients are clipped together or each alone") {
  Net net(classifier(4, 5, 3));
  Network& n = net.network;
  const auto gradients = [&](const json& modifiers) {
    n.set_gradient_modifiers(modifiers);
    n.provide(one_batch());
    n.forward(Mode::Train);
    n.backward();
    std::map<std::string, std::vector<double>> out;
    for (const std::string name : {"Hid.gradients.W", "Hid.gradients.bias", "Out.gradients.W", "Out.gradients.bias"})
      out[name] = value(n, name);
    return out;
  };
  const auto norm = [](const std::vector<double>& v, double p) {
    double sum = 0;
    for (const double x : v) sum += std::pow(std::abs(x), p);
    return std::pow(sum, 1 / p);
  };
  const auto raw = gradients(json());
  for (const double p : {1.0, 2.0, 3.0}) {
    std::vector<double> everything, of_hid;
    for (const auto& [name, g] : raw) {
      everything.insert(everything.end(), g.begin(), g.end());
      if (name.starts_with("Hid")) of_hid.insert(of_hid.end(), g.begin(), g.end());
    }
    const double limit = 0.5 * norm(everything, p);
    const json clip = {{"@type", "ClipGradientNorm"}, {"max_norm", limit}, {"norm_type", p}};
    const auto together = gradients(clip), hid = gradients({{"Hid", clip}});
    const json own = {{"@type", "ClipNorm"}, {"max_norm", 1e-3}, {"norm_type", p}};
    const auto alone = gradients(own);
    for (const auto& [name, g] : raw)
      for (std::size_t i = 0; i < g.size(); ++i) {
        CHECK(together.at(name)[i] == Approx(g[i] * limit / (2 * limit + 1e-6)).epsilon(1e-10));
        const double factor = std::min(1.0, limit / (norm(of_hid, p) + 1e-6));
        CHECK(hid.at(name)[i] == Approx(g[i] * (name.starts_with("Hid") ? factor : 1)).epsilon(1e-10));
      }
    for (const auto& [name, g] : alone)
      CHECK(norm(g, p) == Approx(1e-3 * norm(raw.at(name), p) / (norm(raw.at(name), p) + 1e-6)));
  }
  const auto largest = gradients({{"@type", "ClipGradientNorm"}, {"max_norm", 1e-3}, {"norm_type", "inf"}});
  double most = 0;
  for (const auto& [name, g] : largest)
    for (const double x : g) most = std::max(most, std::abs(x));
  CHECK(most == Approx(1e-3).epsilon(1e-2));
  // After every other modifier, wherever it is written.
  const auto last = gradients(json::array(
      {json{{"@type", "ClipGradientNorm"}, {"max_norm", 1e-3}}, json{{"@type", "L2Decay"}, {"factor", 9.0}}}));
  std::vector<double> all;
  for (const auto& [name, g] : last) all.insert(all.end(), g.begin(), g.end());
  CHECK(norm(all, 2) == Approx(1e-3).epsilon(1e-3));
  CHECK(mentions(complaint([&] { gradients({{"@type", "ClipGradientNorm"}, {"norm_type", "two"}}); }), "norm_type"));
  CHECK(mentions(complaint([&] { gradients({{"@type", "ClipNorm"}, {"max_norm", 0}}); }), "max_norm"));
  CHECK(mentions(complaint([&] { n.set_weight_modifiers({{"@type", "ClipGradientNorm"}}); }), "gradient_modifiers"));
}

TEST_CASE("Weights are modified after scoring and before the hooks of an update") {
  Net net(classifier(4, 5, 3));
  Minibatches data(blobs(12, 4, 3, 1), {.batch_size = 12, .shuffle = false});
  net.network.set_weight_modifiers({{"@type", "ClipValues"}, {"low", -0.01}, {"high", 0.01}});
  net.network.provide(one_batch());
  net.network.forward(Mode::Eval);
  const double before = net.network.total_loss();
  Trainer trainer(net.network, stepper({{"@type", "Sgd"}}), {Task()});
  int seen = 0;
  trainer.add_hook(std::make_unique<Call>(
      "look",
      [&](Trainer& t, const Progress& p) {
        if (p.update != 1) return Verdict::Continue;
        ++seen;
        CHECK(t.last_loss() == Approx(before).epsilon(1e-12));
        for (const double w : parameters(t.network())) CHECK(std::abs(w) <= 0.01);
        return Verdict::Continue;
      },
      Timescale::Update));
  trainer.train(data, {}, 1);
  CHECK(seen == 1);
}

TEST_CASE("A trainer can be made again from the descriptions of its parts") {
  std::vector<json> hooks{{{"@type", "EarlyStopper"}, {"log_name", "v.loss"}, {"patience", 7}},
                          {{"@type", "MonitorLoss"}, {"iter_name", "test"}, {"interval", 3}},
                          {{"@type", "ModifyStepperAttribute"},
                           {"schedule", {{"@type", "Linear"}, {"initial_value", 1.0}, {"final_value", 0.5}}}},
                          {{"@type", "StopOnNan"}, {"timescale", "update"}}};
  json groups = {{"@type", "RmsProp"}, {"momentum", 0.5}, {"groups", {{"Out", {{"learning_rate", 0.5}}}}}};
  Net net(classifier(4, 5, 3));
  Trainer first(net.network, stepper(groups), {Task()});
  for (const auto& hook : hooks) first.add_hook(make<Hook>(hook));
  Trainer second(net.network, stepper(first.stepper().rule().describe()), {Task()});
  for (const auto& hook : first.hooks()) second.add_hook(make<Hook>(hook->describe()));
  CHECK(second.stepper().rule().describe() == groups);
  REQUIRE(second.hooks().size() == 4);
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(second.hooks()[i]->name() == first.hooks()[i]->name());
    CHECK(second.hooks()[i]->describe() == first.hooks()[i]->describe());
  }
  for (const json& rule : every_rule())
    CHECK(make<UpdateRule>(rule)->describe() == make<UpdateRule>(make<UpdateRule>(rule)->describe())->describe());
}

TEST_CASE("What is made again from its description draws the same numbers") {
  for (const json& j : {json{{"@type", "Gaussian"}, {"std", 0.5}},
                        json{{"@type", "Uniform"}, {"low", -2.0}, {"high", 1.0}}, json{{"@type", "Orthogonal"}}}) {
    const auto first = make<Initializer>(j);
    const auto again = make<Initializer>(first->describe());
    std::vector<double> a(12), b(12);
    Rng one(4, "W"), two(4, "W");
    first->fill(a, {"L", "W", Shape{3, 4}, false}, one);
    again->fill(b, {"L", "W", Shape{3, 4}, false}, two);
    CHECK(a == b);
    first->fill(b, {"L", "W", Shape{3, 4}, false}, one);  // the stream goes on
    CHECK(a != b);
  }
}
