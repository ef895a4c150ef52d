#include <cmath>

#include "support/handlers_under_test.hpp"
#include "training_support.hpp"

using namespace training_test;

namespace {

// A flat range on a handler, and the same numbers here.
struct Range {
  Range(Handler& handler, Index n, bool masked)
      : h(handler), block(handler.memory(), static_cast<std::size_t>(n) * 8 * 5 + 256) {
    Rng rng(3, "range");
    std::byte* place = block.data();
    const auto take = [&](std::vector<double>& numbers, double scale) {
      for (Index i = 0; i < n; ++i) numbers.push_back(static_cast<float>(scale * rng.normal()));
      const Tensor t(place, h.dtype(), Shape{n});
      h.memory().upload(HostArray::of(Shape{n}, numbers).view(), t);
      place += static_cast<std::size_t>(n) * 8;
      return t;
    };
    update.value = take(value, 1);
    update.gradient = take(gradient, 1);
    update.state0 = take(state0, 0);
    update.state1 = take(state1, 0);
    update.state2 = take(state2, 0);
    write.assign(static_cast<std::size_t>(n), 1);
    if (!masked) return;
    for (std::size_t i = 0; i < write.size(); i += 3) write[i] = 0;
    const Tensor mask(place, DType::U8, Shape{n});
    h.memory().upload(HostArray::of(Shape{n}, write).view(), mask);
    update.write = mask;
  }
  std::vector<double> now(const ConstTensor& t) const { return h.memory().to_host(t).doubles(); }
  Handler& h;
  DeviceBlock block;
  UpdateRange update;
  std::vector<double> value, gradient, state0, state1, state2;
  std::vector<std::uint8_t> write;
};

using Formula = std::function<void(double& p, double g, double& a, double& b, int step)>;

void check_rule(const json& description, const Formula& formula) {
  for (const std::string name : {"cpu:f64", "cpu:f32", "debug:cpu:f64"})
    for (const bool masked : {false, true}) {
      INFO(name << " masked " << masked << " " << description.dump());
      const auto handler = squall::test::make_under_test(name);
      const auto rule = make<UpdateRule>(description);
      Range r(*handler, 37, masked);
      const auto untouched = r.value;
      for (int step = 1; step <= 4; ++step) {
        if (rule->moves_before_pass()) rule->before_pass(handler->optim(), r.update, {}, step);
        rule->update(handler->optim(), r.update, {}, step);
        for (std::size_t i = 0; i < r.value.size(); ++i)
          if (r.write[i]) formula(r.value[i], r.gradient[i], r.state0[i], r.state1[i], step);
      }
      const auto got = r.now(r.update.value);
      const double tolerance = name == "cpu:f32" ? 1e-5 : 1e-12;
      for (std::size_t i = 0; i < got.size(); ++i) {
        CHECK(got[i] == Approx(r.value[i]).epsilon(tolerance).margin(tolerance));
        if (!r.write[i]) CHECK(got[i] == untouched[i]);
        if (!r.write[i] && rule->state_vectors() > 0) CHECK(r.now(r.update.state0)[i] == 0);
      }
    }
}

}  // namespace

TEST_CASE("Sgd follows its formula") {
  check_rule({{"@type", "SgdStepper"}, {"learning_rate", 0.25}},
             [](double& p, double g, double&, double&, int) { p -= 0.25 * g; });
}

TEST_CASE("Momentum scales the learning rate unless told otherwise") {
  check_rule({{"@type", "Momentum"}, {"learning_rate", 0.5}, {"momentum", 0.9}},
             [](double& p, double g, double& v, double&, int) {
               v = 0.9 * v - 0.5 * (1 - 0.9) * g;
               p += v;
             });
  check_rule({{"@type", "MomentumStepper"}, {"learning_rate", 0.5}, {"momentum", 0.9}, {"scale_learning_rate", false}},
             [](double& p, double g, double& v, double&, int) {
               v = 0.9 * v - 0.5 * g;
               p += v;
             });
}

TEST_CASE("Nesterov moves ahead first and corrects then") {
  check_rule({{"@type", "Nesterov"}, {"learning_rate", 0.5}, {"momentum", 0.8}},
             [](double& p, double g, double& v, double&, int) {
               const double rate = 0.5 * (1 - 0.8);
               v = 0.8 * v;
               p += v;
               v -= rate * g;
               p -= rate * g;
             });
}

TEST_CASE("Adam puts epsilon after or before bias correction") {
  const auto moments = [](double g, double& m, double& v) {
    m = 0.9 * m + 0.1 * g;
    v = 0.999 * v + 0.001 * g * g;
  };
  check_rule({{"@type", "Adam"}, {"learning_rate", 0.01}, {"epsilon", 0.1}},
             [=](double& p, double g, double& m, double& v, int t) {
               moments(g, m, v);
               p -= 0.01 * (m / (1 - std::pow(0.9, t))) / (std::sqrt(v / (1 - std::pow(0.999, t))) + 0.1);
             });
  check_rule({{"@type", "AdamStepper"}, {"learning_rate", 0.01}, {"epsilon", 0.1}, {"epsilon_placement", "before"}},
             [=](double& p, double g, double& m, double& v, int t) {
               moments(g, m, v);
               const double rate = 0.01 * std::sqrt(1 - std::pow(0.999, t)) / (1 - std::pow(0.9, t));
               p -= rate * m / (std::sqrt(v) + 0.1);
             });
}

TEST_CASE("A learning rate may be a schedule, by epochs or updates") {
  const json linear = {{"@type", "Linear"}, {"initial_value", 1.0}, {"final_value", 0.0}, {"num_changes", 10}};
  const auto by_epoch = make<UpdateRule>({{"@type", "Sgd"}, {"learning_rate", linear}});
  CHECK(by_epoch->learning_rate({3, 77}) == Approx(0.7));
  json updates = linear;
  updates["timescale"] = "update";
  CHECK(make<UpdateRule>({{"@type", "Sgd"}, {"learning_rate", updates}})->learning_rate({3, 5}) == Approx(0.5));
  CHECK(by_epoch->set("learning_rate", 0.125));
  CHECK(by_epoch->learning_rate({3, 77}) == 0.125);
  CHECK_FALSE(by_epoch->set("momentum", 0.5));
  CHECK(make<UpdateRule>({{"@type", "Momentum"}})->set("momentum", 0.5));
}

TEST_CASE("Wrong options of steppers are told with the right ones") {
  CHECK(mentions(complaint([] { make<UpdateRule>({{"@type", "Sgd"}, {"lerning_rate", 1}}); }), "learning_rate"));
  CHECK(mentions(complaint([] {
                   make<UpdateRule>({{"@type", "Sgd"}, {"learning_rate", "fast"}});
                 }),
                 "test.learning_rate"));
  CHECK(mentions(complaint([] { make<UpdateRule>({{"@type", "Adam"}, {"beta1", 1.5}}); }), "beta1"));
  CHECK(mentions(complaint([] { make<UpdateRule>({{"@type", "Adm"}}); }), "Adam"));
}

// One linear unit, the gradient by hand: the whole chain of stepper, network and rule.
TEST_CASE("Steps of a network are those computed by hand") {
  const std::vector<double> x{1, 2, -1, 0.5, 3, -2}, t{0.5, -1, 2};
  for (const std::string type : {"Sgd", "Momentum", "Nesterov"}) {
    INFO(type);
    Net net(regressor(2, 1));
    Network& n = net.network;
    n.set_parameter("Out.W", HostArray::of(Shape{1, 2}, std::vector<double>{0.3, -0.2}));
    n.set_parameter("Out.bias", HostArray::of(Shape{1}, std::vector<double>{0.1}));
    json description = {{"@type", type}, {"learning_rate", 0.1}};
    const double mu = type == "Sgd" ? 0 : 0.7, rate = 0.1 * (1 - mu);
    if (type != "Sgd") description["momentum"] = mu;
    const auto s = stepper(description);
    s->start(n);
    const PassId pass = n.pass(Mode::Train);
    double w[3] = {0.3, -0.2, 0.1}, v[3] = {0, 0, 0};
    Batch batch{{{"default", HostArray::of(Shape{1, 3, 2}, x)}, {"targets", HostArray::of(Shape{1, 3, 1}, t)}}};
    for (int step = 0; step < 3; ++step) {
      n.provide(batch);
      s->step(pass, {0, step});
      if (type == "Nesterov")
        for (int k = 0; k < 3; ++k) {
          v[k] *= mu;
          w[k] += v[k];
        }
      double g[3] = {0, 0, 0};
      for (std::size_t i = 0; i < 3; ++i) {
        const double e = (w[0] * x[2 * i] + w[1] * x[2 * i + 1] + w[2] - t[i]) / 3;
        g[0] += e * x[2 * i];
        g[1] += e * x[2 * i + 1];
        g[2] += e;
      }
      for (int k = 0; k < 3; ++k) {
        v[k] = type == "Nesterov" ? v[k] - rate * g[k] : mu * v[k] - rate * g[k];
        w[k] += type == "Nesterov" ? -rate * g[k] : v[k];
      }
    }
    CHECK(s->steps() == 3);
    CHECK(n.get("Out.parameters.W").value(0) == Approx(w[0]).epsilon(1e-12));
    CHECK(n.get("Out.parameters.W").value(1) == Approx(w[1]).epsilon(1e-12));
    CHECK(n.get("Out.parameters.bias").value(0) == Approx(w[2]).epsilon(1e-12));
  }
}

TEST_CASE("The state of a stepper can be taken out and put back") {
  const auto data = blobs(12, 4, 3, 1);
  Net a(classifier(4, 5, 3)), b(classifier(4, 5, 3));
  const auto first = stepper({{"@type", "Adam"}}), second = stepper({{"@type", "Adam"}});
  Undivided all(data);
  Batch batch;
  all.next(batch);
  const auto run = [&](Net& net, Stepper& s, int steps) {
    for (int i = 0; i < steps; ++i) {
      net.network.provide(batch);
      s.step(net.network.pass(Mode::Train), {});
    }
  };
  first->start(a.network);
  run(a, *first, 3);
  second->start(b.network);
  b.network.handler().memory().upload(a.network.get("parameters").view(), b.network.parameters());
  b.network.store().touch();
  second->load_state(first->save_state(), first->steps());
  run(a, *first, 2);
  run(b, *second, 2);
  CHECK(parameters(a.network) == parameters(b.network));
  CHECK(second->steps() == 5);
  const auto sgd = stepper({{"@type", "Sgd"}});
  sgd->start(b.network);
  CHECK(mentions(complaint([&] { sgd->load_state(first->save_state(), 1); }), "Sgd has 0"));
}

// The same weights with a mask of their own, and with gradients that are masked by a modifier.
TEST_CASE("Masked weights stay where they are under every rule, and the others learn as if they were not there") {
  std::vector<double> keep;
  for (int i = 0; i < 20; ++i) keep.push_back(i % 2);
  json rows = json::array();
  for (std::size_t r = 0; r < 5; ++r)
    rows.push_back(std::vector<double>(keep.begin() + 4 * static_cast<std::ptrdiff_t>(r),
                                       keep.begin() + 4 * static_cast<std::ptrdiff_t>(r + 1)));
  for (const json& j : every_rule()) {
    INFO(j.dump());
    Net masked(classifier(4, 5, 3)), plain(classifier(4, 5, 3));
    const auto before = masked.network.get("Hid.parameters.W").doubles();
    masked.network.store().set_mask(*masked.network.store().find("Hid", "W"),
                                    HostArray::of(Shape{5, 4}, keep).cast(DType::U8));
    plain.network.set_parameter("Hid.W", masked.network.get("Hid.parameters.W"));
    plain.network.set_gradient_modifiers({{"Hid", {{"W", {{"@type", "MaskValues"}, {"mask", rows}}}}}});
    Undivided all(blobs(12, 4, 3, 1));
    Batch batch;
    all.next(batch);
    for (Network* n : {&masked.network, &plain.network}) {
      const auto s = stepper(j);
      s->start(*n);
      for (int i = 0; i < 4; ++i) {
        n->provide(batch);
        s->step(n->pass(Mode::Train), {});
      }
    }
    const auto after = masked.network.get("Hid.parameters.W").doubles();
    const auto same = plain.network.get("Hid.parameters.W").doubles();
    for (std::size_t i = 0; i < 20; ++i) {
      if (keep[i] == 0) CHECK(after[i] == 0);
      if (keep[i] != 0) CHECK(after[i] != before[i]);
      CHECK(after[i] == Approx(same[i]).epsilon(1e-12).margin(1e-14));
    }
    CHECK(masked.network.total_loss() == Approx(plain.network.total_loss()).epsilon(1e-12));
  }
}
