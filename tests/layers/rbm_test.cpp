// The restricted Boltzmann machine: its phases by hand and by plain loops, and that its loss has their gradient.
#include "layers/cases.hpp"
#include "layers/network_differences.hpp"
#include "squall/core/ops/attention.hpp"
#include "squall/core/ops/memory.hpp"
#include "squall/core/ops/random.hpp"

namespace {

using namespace squall;
using namespace squall::testing;
using Values = std::vector<double>;

SQUALL_LAYER_CASES(RBM,
                   {.name = "one step",
                    .options = {{"size", 3}},
                    .inputs = {{"default", {4}, CaseInput::Values::Binary}},
                    .derivative = false,  // the negative phase is taken as given
                    .coupled = true,
                    .mixed = true,
                    .rejects = {{.options = {{"size", 0}},
                                 .says = {"option 'size' should be a positive whole number, not 0"}},
                                {.options = {{"size", 2}, {"k", 0}}, .says = {"option 'k'"}}}},
                   {.name = "three steps on images with drawn reconstructions",
                    .options = {{"size", 2}, {"k", 3}, {"reconstruction_steps", 2}, {"sample_reconstruction", true}},
                    .inputs = {{"default", {2, 2, 1}, CaseInput::Values::Probabilities}},
                    .derivative = false,
                    .coupled = true,
                    .mixed = true})

struct Machine {
  Machine(Index visible, Index hidden, Index k, const json& more = json::object()) {
    Architecture a;
    a.input({{"default", {"B", visible}}});
    json options{{"size", hidden}, {"k", k}};
    options.update(more);
    a["Input.default"] >> a.add("RBM", "RBM", options);
    a["RBM.loss"] >> a.add("Loss", "Loss");
    net = inspectable(a);
    fill_with_numbers(*net, 0.8);
    for (const char* output : {"RBM.reconstruction", "RBM.default", "RBM.free_energy"}) net->pin(output);
  }
  void learn(const HostArray& v) {
    net->provide({{{"default", v}}});
    net->set_random_step(7);
    net->forward(Mode::Train);
    net->backward();
  }
  std::unique_ptr<Network> net;
};

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

// The same in loops: hidden and visible probabilities of one example.
struct Loops {
  explicit Loops(const Network& net)
      : W(net.get("RBM.parameters.W")), b(net.get("RBM.parameters.bias")), c(net.get("RBM.parameters.visible_bias")) {}
  Values up(const Values& v) const {
    Values p;
    for (Index j = 0; j < b.elements(); ++j) {
      double a = b.value(j);
      for (Index i = 0; i < c.elements(); ++i) a += W.value(j * c.elements() + i) * v[static_cast<std::size_t>(i)];
      p.push_back(sigmoid(a));
    }
    return p;
  }
  Values down(const Values& h) const {
    Values p;
    for (Index i = 0; i < c.elements(); ++i) {
      double a = c.value(i);
      for (Index j = 0; j < b.elements(); ++j) a += W.value(j * c.elements() + i) * h[static_cast<std::size_t>(j)];
      p.push_back(sigmoid(a));
    }
    return p;
  }
  double energy(const Values& v) const {  // over all states of the hidden units
    const auto hidden = static_cast<unsigned>(b.elements());
    double sum = 0;
    for (unsigned state = 0; state < (1U << hidden); ++state) {
      double minus = 0;
      for (Index i = 0; i < c.elements(); ++i) minus += c.value(i) * v[static_cast<std::size_t>(i)];
      for (Index j = 0; j < b.elements(); ++j) {
        if ((state >> static_cast<unsigned>(j) & 1U) == 0) continue;
        minus += b.value(j);
        for (Index i = 0; i < c.elements(); ++i)
          minus += W.value(j * c.elements() + i) * v[static_cast<std::size_t>(i)];
      }
      sum += std::exp(minus);
    }
    return -std::log(sum);
  }
  HostArray W, b, c;
};

// Numbers that decide about hidden units in step `step` of the chain from `first`.
Values draws(const Network& net, Index first, Index step, const Shape& shape) {
  Handler& h = net.handler();
  DeviceBlock block(h.memory(), static_cast<std::size_t>(shape.elements()) * size_of(h.dtype()));
  const Tensor out(block.data(), h.dtype(), shape);
  const RandomKey layer{stream_key(3, "RBM"), 7};
  h.random().uniform(attention_stream(layer, -1 - (first + 2 * step)), 0, 1, out);
  return h.memory().to_host(out).doubles();
}

Values row(const HostArray& a, Index example) {
  const Index width = a.elements() / a.shape()[0];
  const Values all = a.doubles();
  return {all.begin() + example * width, all.begin() + (example + 1) * width};
}

void close(const Values& got, const Values& want) {
  REQUIRE(got.size() == want.size());
  for (std::size_t i = 0; i < got.size(); ++i) CHECK(got[i] == Approx(want[i]).margin(1e-12));
}

TEST_CASE("a machine of two visible units and a hidden one has the phases worked out by hand") {
  Machine m(2, 1, 1);
  Network& net = *m.net;
  net.set_parameter("RBM.W", HostArray::of(Shape{1, 2}, Values{0.5, -1.0}));
  net.set_parameter("RBM.bias", HostArray::of(Shape{1}, Values{0.1}));
  net.set_parameter("RBM.visible_bias", HostArray::of(Shape{2}, Values{-0.2, 0.4}));
  m.learn(HostArray::of(Shape{1, 2}, Values{1, 0}));
  // h = sigmoid(0.6); where it was drawn as 1, v' = (sigmoid(0.3), sigmoid(-0.6)), else (sigmoid(-0.2), sigmoid(0.4)).
  const bool on = draws(net, 0, 0, Shape{1, 1})[0] < 0.6456563062257954;
  const Values v = on ? Values{0.574442516811659, 0.35434369377420455} : Values{0.45016600268752216, 0.598687660112452};
  const double h = on ? 0.508218650852806 : 0.4320223714877886;
  close(row(net.get("RBM.internals.negative"), 0), v);
  CHECK(net.get("RBM.internals.negative_hidden").value(0) == Approx(h).margin(1e-9));
  CHECK(net.get("RBM.outputs.default").value(0) == Approx(0.6456563062257954));
  const HostArray dW = net.get("RBM.gradients.W");
  CHECK(dW.value(0) == Approx(-(0.6456563062257954 - h * v[0])).margin(1e-9));
  CHECK(dW.value(1) == Approx(h * v[1]).margin(1e-9));
  CHECK(net.get("RBM.gradients.bias").value(0) == Approx(-(0.6456563062257954 - h)).margin(1e-9));
  close(net.get("RBM.gradients.visible_bias").doubles(), {v[0] - 1, v[1]});
}

TEST_CASE("CD of several steps is that of plain loops and a mean over the batch") {
  for (const Index k : {1, 3}) {
    Machine m(4, 3, k);
    const Index batch = 5;
    HostArray data(DType::F64, Shape{batch, 4});
    for (Index i = 0; i < data.elements(); ++i) data.set_value(i, i * 7 % 3 == 0 ? 1 : 0);
    m.learn(data);
    const Loops loops(*m.net);
    std::vector<Values> uniform;
    for (Index step = 0; step < k; ++step) uniform.push_back(draws(*m.net, 0, step, Shape{batch, 3}));
    Values dW(12, 0.0), db(3, 0.0), dc(4, 0.0);
    double loss = 0;
    for (Index n = 0; n < batch; ++n) {
      const Values v0 = row(data, n), p0 = loops.up(v0);
      Values p = p0, v;
      for (Index step = 0; step < k; ++step) {
        Values h;
        for (std::size_t j = 0; j < 3; ++j)
          h.push_back(uniform[static_cast<std::size_t>(step)][static_cast<std::size_t>(n) * 3 + j] < p[j] ? 1 : 0);
        v = loops.down(h);
        p = loops.up(v);
      }
      close(row(m.net->get("RBM.internals.negative"), n), v);
      for (std::size_t j = 0; j < 3; ++j)
        for (std::size_t i = 0; i < 4; ++i) dW[j * 4 + i] -= (p0[j] * v0[i] - p[j] * v[i]) / 5;
      for (std::size_t j = 0; j < 3; ++j) db[j] -= (p0[j] - p[j]) / 5;
      for (std::size_t i = 0; i < 4; ++i) dc[i] -= (v0[i] - v[i]) / 5;
      CHECK(m.net->get("RBM.outputs.free_energy").value(n) == Approx(loops.energy(v0)));
      loss += (loops.energy(v0) - loops.energy(v)) / 5;
    }
    close(m.net->get("RBM.gradients.W").doubles(), dW);
    close(m.net->get("RBM.gradients.bias").doubles(), db);
    close(m.net->get("RBM.gradients.visible_bias").doubles(), dc);
    CHECK(m.net->total_loss() == Approx(loss));
  }
}

TEST_CASE("with a given negative phase the gradient of an RBM is the derivative of its loss and all else it gives") {
  Architecture a;
  a.input({{"default", {"T", "B", 2, 2}}});
  a["Input.default"] >> a.add("Before", "Dense", {{"units", 4}, {"activation", "sigmoid"}}) >>
      a.add("RBM", "RBM", {{"size", 3}});
  a["RBM.loss"] >> a.add("Loss", "Loss", {{"importance", 0.7}});
  a["RBM.default"] >> a.add("Bend", "Elementwise", {{"activation", "tanh"}}) >> a.add("Loss_2", "Loss");
  a["RBM.free_energy"] >> a.add("Loss_3", "Loss", {{"importance", -0.3}});
  const auto net = inspectable(a);
  fill_with_numbers(*net);
  net->provide({{{"default", numbers(Shape{2, 3, 2, 2}, "data")}}});
  net->give_internal("RBM.negative", numbers(Shape{2, 3, 4}, "negative", 0.3));
  CHECK(check_gradients(*net) == 4 * 4 + 4 + 3 * 4 + 3 + 4);
  for (const char* head : {"Loss", "Loss_2", "Loss_3"}) check_gradients(*net, {head});
}

TEST_CASE("an RBM reconstructs in evaluation with steps of its own and leaves gradients alone") {
  Machine m(4, 3, 1, {{"reconstruction_steps", 2}});
  const HostArray data = HostArray::of(Shape{2, 4}, Values{1, 0, 1, 0, 0, 1, 1, 0});
  m.learn(data);
  const HostArray before = m.net->get("gradients");
  m.net->forward(Mode::Eval);
  CHECK(m.net->get("gradients") == before);
  const HostArray made = m.net->get("RBM.outputs.reconstruction");
  m.net->forward(Mode::Eval);
  CHECK(m.net->get("RBM.outputs.reconstruction") == made);
  for (const double p : made.doubles()) CHECK((p > 0 && p < 1));
  CHECK_FALSE(made == m.net->get("RBM.internals.negative"));

  Machine drawn(4, 3, 1, {{"reconstruction_steps", 2}, {"sample_reconstruction", true}});
  drawn.net->provide({{{"default", data}}});
  drawn.net->forward(Mode::Eval);
  for (const double v : drawn.net->get("RBM.outputs.reconstruction").doubles()) CHECK((v == 0 || v == 1));
}

TEST_CASE("reconstructions have the probabilities of their chain") {
  // One hidden unit that is on with probability 0.3 whatever is seen; then the visible one is on with sigmoid(2).
  Machine m(1, 1, 1, {{"reconstruction_steps", 1}, {"sample_reconstruction", true}});
  m.net->set_parameter("RBM.W", HostArray::of(Shape{1, 1}, Values{4}));
  m.net->set_parameter("RBM.bias", HostArray::of(Shape{1}, Values{std::log(0.3 / 0.7)}));
  m.net->set_parameter("RBM.visible_bias", HostArray::of(Shape{1}, Values{-2}));
  const Index n = 20000;
  m.net->provide({{{"default", HostArray(DType::F64, Shape{n, 1})}}});
  m.net->forward(Mode::Eval);
  double on = 0;
  for (const double v : m.net->get("RBM.outputs.reconstruction").doubles()) on += v;
  const double p = 0.3 * sigmoid(2) + 0.7 * sigmoid(-2);
  CHECK(std::abs(on / n - p) < 4 * std::sqrt(p * (1 - p) / n));
}

}  // namespace
