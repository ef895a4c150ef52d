// Networks that learn what data are like: a Boltzmann machine, an autoencoder, a generator against a critic, and many
// classes from noise.
#include <cmath>

#include "squall/core/critic_blocks.hpp"
#include "training/training_support.hpp"

using namespace training_test;

namespace {

using Values = std::vector<double>;

// All images of 4 x 4 pixels whose rows, or whose columns, are of one colour each.
HostArray bars_and_stripes() {
  HostArray out(DType::F64, Shape{32, 16});
  for (Index pattern = 0; pattern < 16; ++pattern)
    for (Index row = 0; row < 4; ++row)
      for (Index column = 0; column < 4; ++column) {
        out.set_value(pattern * 16 + row * 4 + column, static_cast<double>(pattern >> row & 1));
        out.set_value((16 + pattern) * 16 + row * 4 + column, static_cast<double>(pattern >> column & 1));
      }
  return out;
}

double squared_error(const HostArray& a, const HostArray& b) {
  double sum = 0;
  for (Index i = 0; i < a.elements(); ++i) sum += (a.value(i) - b.value(i)) * (a.value(i) - b.value(i));
  return sum / static_cast<double>(a.elements());
}

double mean(const Values& v) {
  double sum = 0;
  for (const double x : v) sum += x;
  return sum / static_cast<double>(v.size());
}

void learn(Stepper& stepper, PassId pass, Index updates) {
  for (Index update = 0; update < updates; ++update) stepper.step(pass, {0, update});
}

TEST_CASE("a Boltzmann machine learns bars and stripes by contrastive divergence") {
  for (const Index k : {1, 3}) {
    Architecture a;
    a.input({{"default", {"B", 16}}});
    a["Input.default"] >> a.add("RBM", "RBM", {{"size", 16}, {"k", k}, {"reconstruction_steps", 1}});
    a["RBM.loss"] >> a.add("Loss", "Loss");
    Net n(a);
    Network& net = n.network;
    net.initialize({{"default", {{"@type", "Gaussian"}, {"std", 0.1}}}}, 7);
    for (const char* output : {"RBM.reconstruction", "RBM.free_energy"}) net.pin(output);
    const HostArray data = bars_and_stripes();
    // How much lower the energy of the data is than that of noise.
    const auto gap = [&] {
      HostArray noise(DType::F64, data.shape());
      Rng rng(1, "noise");
      for (Index i = 0; i < noise.elements(); ++i) noise.set_value(i, static_cast<double>(rng.below(2)));
      net.provide({{{"default", noise}}});
      net.forward(Mode::Eval);
      const double above = mean(net.get("RBM.outputs.free_energy").doubles());
      net.provide({{{"default", data}}});
      net.forward(Mode::Eval);
      return above - mean(net.get("RBM.outputs.free_energy").doubles());
    };
    CHECK(std::abs(gap()) < 1);
    const double before = squared_error(net.get("RBM.outputs.reconstruction"), data);
    const auto rule = stepper({{"@type", "Momentum"}, {"learning_rate", 0.1}, {"momentum", 0.5}});
    rule->start(net);
    learn(*rule, net.pass(Mode::Train, {"Loss"}), 1500);
    CHECK(gap() > 4);
    const double after = squared_error(net.get("RBM.outputs.reconstruction"), data);
    CAPTURE(k, before, after);
    CHECK(after < before / 3);
  }
}

TEST_CASE("a variational autoencoder learns to make what it has seen") {
  Architecture a;
  a.input({{"default", {"B", 16}}});
  const Port code = a["Input.default"] >> a.add("Encoder", "Dense", {{"units", 24}, {"activation", "tanh"}});
  const Port mean_of = code >> a.add("Mean", "Dense", {{"units", 5}});
  const Port spread = code >> a.add("Spread", "Dense", {{"units", 5}});
  const Port sample = a.add("Sample", "GaussianSample"), far = a.add("Divergence", "GaussianDivergence");
  for (const Port& reader : {sample, far}) {
    mean_of >> ("mean" - reader);
    spread >> ("log_variance" - reader);
  }
  sample >> a.add("Hidden", "Dense", {{"units", 24}, {"activation", "tanh"}}) >>
      a.add("Decoder", "Dense", {{"units", 16}, {"activation", "sigmoid"}}) >>
      a.add("Error", "Bce", {{"reduction", "none"}});
  a["Input.default"] >> a["Error.targets"];
  a["Error.loss"] >> a.add("Reconstruction", "Loss");
  a["Divergence.loss"] >> a.add("KL", "Loss");
  Net n(a);
  Network& net = n.network;
  net.initialize({{"default", {{"@type", "Gaussian"}, {"std", 0.2}}}, {"*", {{"bias", 0}}}}, 7);
  net.provide({{{"default", bars_and_stripes()}}});
  const auto loss = [&] {
    net.forward(Mode::Eval);
    return net.total_loss();
  };
  const double before = loss();  // about 16 ln 2
  const auto rule = stepper({{"@type", "Adam"}, {"learning_rate", 0.01}});
  rule->start(net);
  learn(*rule, net.pass(Mode::Train, {}), 1500);
  CAPTURE(before, loss());
  CHECK(before > 10);
  CHECK(loss() < 0.7 * before);
}

TEST_CASE("many classes are learned from noise alone") {
  constexpr Index kClasses = 40, kContexts = 10;
  Architecture a;
  a.input({{"default", {"B", kContexts}}, {"targets", {"B", 1}}});
  a["Input.default"] >> a.add("Hidden", "Dense", {{"units", 16}, {"activation", "tanh"}}) >>
      a.add("Output", "Nce", {{"classes", kClasses}, {"samples", 8}});
  a["Input.targets"] >> a["Output.targets"];
  a["Output.loss"] >> a.add("Loss", "Loss");
  Net n(a);
  Network& net = n.network;
  HostArray x(DType::F64, Shape{kContexts, kContexts}), t(DType::I32, Shape{kContexts, 1});
  for (Index i = 0; i < kContexts; ++i) {
    x.set_value(i * kContexts + i, 1);
    t.set_value(i, static_cast<double>(i * 17 % kClasses));
  }
  net.provide({{{"default", x}, {"targets", t}}});
  net.pin("Output.predictions");
  const auto rule = stepper({{"@type", "Adam"}, {"learning_rate", 0.02}});
  rule->start(net);
  learn(*rule, net.pass(Mode::Train, {"Loss"}), 600);
  net.forward(net.pass(Mode::Eval, {"Output.predictions"}));
  const HostArray p = net.get("Output.outputs.predictions");
  for (Index i = 0; i < kContexts; ++i) CHECK(p.value(i * kClasses + i * 17 % kClasses) > 0.5);
}

// A generator of points and its critic in one network: pass "critic" trains one, pass "generator" the other.
struct Adversaries {
  static constexpr Index kBatch = 64;

  Adversaries() : generator_rule(stepper(adam())), critic_rule(stepper(adam())) {
    Architecture a;
    a.input({{"noise", {"B", 2}}, {"real", {"B", 2}}, {"mix", {"B", 2}}, {"ones", {"B", 1}}});
    const Port made = a["Input.noise"] >> a.add("Generator", "Dense", {{"units", 2}});
    const Port still = made >> a.add("Still", "Detach"), mixed = a.add("Mixed", "Highway");
    a["Input.real"] >> ("H" - mixed);
    a["Input.mix"] >> ("T" - mixed);
    still >> ("x" - mixed);
    const CriticOptions how{.units = {16}};
    build_critic(a, "Critic", a["Input.real"], how) >> a.add("Real", "Loss", {{"importance", -1.0}});
    build_critic_at(a, "Critic", "Made", still, how) >> a.add("Made", "Loss");
    build_critic_at(a, "Critic", "Fooled", made, how, Weights::Detached) >>
        a.add("Fooled", "Loss", {{"importance", -1.0}});
    build_critic_at(a, "Critic", "At", mixed, how);
    build_critic_gradient(a, "Critic", "At", a["Input.ones"], how) >> a.add("Penalty", "GradientPenalty");
    a["Penalty.loss"] >> a.add("Lengths", "Loss", {{"importance", 10.0}});
    n = std::make_unique<Net>(a);
    n->network.pin("Generator.default");
    generator_rule->start(n->network);
    critic_rule->start(n->network);
  }
  static json adam() { return {{"@type", "Adam"}, {"learning_rate", 0.02}, {"beta1", 0.5}}; }
  void provide() {
    HostArray noise(DType::F64, Shape{kBatch, 2}), real = noise, mix = noise;
    for (Index i = 0; i < kBatch; ++i) {
      const double share = rng.uniform();
      for (Index k = 0; k < 2; ++k) {
        noise.set_value(2 * i + k, rng.normal());
        real.set_value(2 * i + k, (k == 0 ? 2.0 : -1.0) + 0.3 * rng.normal());
        mix.set_value(2 * i + k, share);
      }
    }
    n->network.provide({{{"noise", noise},
                         {"real", real},
                         {"mix", mix},
                         {"ones", HostArray::of(Shape{kBatch, 1}, Values(kBatch, 1.0))}}});
  }
  Values means() {
    provide();
    n->network.forward(n->network.pass(Mode::Eval, {"Generator.default"}));
    const HostArray y = n->network.get("Generator.outputs.default");
    Values out(2, 0.0);
    for (Index i = 0; i < y.elements(); ++i) out[static_cast<std::size_t>(i % 2)] += y.value(i) / kBatch;
    return out;
  }
  std::unique_ptr<Net> n;
  std::unique_ptr<Stepper> generator_rule, critic_rule;  // with memory of the network's handler
  Rng rng{1, "points"};
};

TEST_CASE("a generator learns where points lie from a critic with a gradient penalty") {
  Adversaries both;
  Network& net = both.n->network;
  const PassId critic = net.pass(Mode::Train, {"Real", "Made", "Lengths"}),
               generator = net.pass(Mode::Train, {"Fooled"});
  const auto away = [&] {
    const Values m = both.means();
    return std::hypot(m[0] - 2, m[1] + 1);
  };
  const double before = away();
  for (Index update = 0; update < 250; ++update) {
    for (int k = 0; k < 4; ++k) {
      both.provide();
      both.critic_rule->step(critic, {0, update});
    }
    both.provide();
    both.generator_rule->step(generator, {0, update});
  }
  CAPTURE(before, away());
  CHECK(before > 1.5);
  CHECK(away() < 0.4);
}

}  // namespace
