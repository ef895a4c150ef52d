// Scores by gradients: the sum over training examples of each task's own loss, and nothing left behind.
#include "masks/mask_nets.hpp"

using namespace squall;
using namespace squall::test;

namespace {

// |sum of gradients| of hidden.W of one task over the first `examples` examples, by hand: one batch, all losses.
Values explicit_scores(const NetOptions& o, int task, Index examples) {
  Net net(o);
  auto data = batches(o, examples, examples);
  Batch batch;
  data.restart(0);
  REQUIRE(data.next(batch));
  net.network.provide(batch);
  net.network.forward(Mode::Train);
  net.network.backward();
  Values out = slice(net.network.get("hidden.gradients.W"), task).doubles();
  for (double& v : out) v = std::fabs(v) * static_cast<double>(examples);
  return out;
}

NetOptions wide() {
  NetOptions o;
  o.handler = "cpu:f64";
  return o;
}

}  // namespace

TEST_CASE("Gradients are summed over minibatches, head by head", "[scores]") {
  const NetOptions o = wide();
  Net net(o);
  auto data = batches(o, 40, 7);  // the last batch is smaller
  Rsn2 rule = rsn2(70, "gradients");
  rule.options.exclusive = false;
  rule.apply(net.network, net.tasks, &data, 1);
  for (int t = 0; t < 2; ++t) {
    const auto scores = explicit_scores(o, t, 40);
    CHECK(net.mask("hidden", t) == select_top(scores, {}, 12, 9, 70, Quota::Unit).keep);
  }
}

TEST_CASE("Only so many examples are looked at", "[scores]") {
  const NetOptions o = wide();
  Net some(o);
  auto data = batches(o, 60, 16);
  Rsn2 rule = rsn2(70, "gradients");
  rule.options.exclusive = false;
  rule.options.examples = 21;  // one batch and a part of the second
  rule.apply(some.network, some.tasks, &data, 1);
  // The first 21 examples of 60 are those of a set of 21: each has its own numbers, drawn in order.
  CHECK(some.mask("hidden", 1) == select_top(explicit_scores(o, 1, 21), {}, 12, 9, 70, Quota::Unit).keep);
}

TEST_CASE("Weight times gradient", "[scores]") {
  const NetOptions o = wide();
  Net net(o);
  const HostArray w = slice(net.value("hidden"), 0);
  auto data = batches(o, 32, 32);
  Rsn2 rule = rsn2(70, "weight_gradient");
  rule.options.exclusive = false;
  rule.apply(net.network, net.tasks, &data, 1);
  auto scores = explicit_scores(o, 0, 32);
  for (std::size_t i = 0; i < scores.size(); ++i) scores[i] *= std::fabs(w.value(static_cast<Index>(i)));
  CHECK(net.mask("hidden", 0) == select_top(scores, {}, 12, 9, 70, Quota::Unit).keep);
}

TEST_CASE("Exclusive masks by gradients take the best of what is free", "[scores]") {
  const NetOptions o = wide();
  Net net(o);
  auto data = batches(o, 32, 32);
  rsn2(70, "gradients").apply(net.network, net.tasks, &data, 1);
  const Bytes first = select_top(explicit_scores(o, 0, 32), {}, 12, 9, 70, Quota::Unit).keep;
  CHECK(net.mask("hidden", 0) == first);
  Bytes free = first;
  for (auto& b : free) b = b ? 0 : 1;
  CHECK(net.mask("hidden", 1) == select_top(explicit_scores(o, 1, 32), free, 12, 9, 70, Quota::Unit).keep);
}

TEST_CASE("Scoring leaves states and random steps as they were", "[scores]") {
  NetOptions o;
  o.norm = true;
  Net net(o);
  net.network.set_random_step(17);
  const auto states = net.network.get_states();
  REQUIRE(states.size() >= 4);
  auto data = batches(o, 32, 8);
  Rsn2 rule = rsn2(70, "gradients");
  rule.options.rescale = false;
  rule.apply(net.network, net.tasks, &data, 1);
  CHECK(net.network.random_step() == 17);
  CHECK(net.network.get_states() == states);
}

TEST_CASE("The same masks again, with dropout on the way", "[scores]") {
  NetOptions o;
  o.norm = true;
  std::vector<Bytes> masks;
  for (int round = 0; round < 2; ++round) {
    Net net(o);
    auto data = batches(o, 32, 8);
    rsn2(70, "gradients").apply(net.network, net.tasks, &data, 1);
    masks.push_back(net.mask("hidden", 1));
  }
  CHECK(masks[0] == masks[1]);
}

TEST_CASE("Gradient modifiers change no scores", "[scores]") {
  const NetOptions o = wide();
  std::vector<Bytes> masks;
  for (const double factor : {0.0, 100.0}) {
    Net net(o);
    net.network.set_gradient_modifiers({{"*", {{"W", {{"@type", "L2Decay"}, {"factor", factor}}}}}});
    auto data = batches(o, 32, 32);
    rsn2(70, "gradients").apply(net.network, net.tasks, &data, 1);
    masks.push_back(net.mask("hidden", 0));
  }
  CHECK(masks[0] == masks[1]);
}

TEST_CASE("Training data must have what a task needs", "[scores]") {
  Net net;
  NetOptions only_a;
  only_a.names = {"a"};
  auto data = batches(only_a, 16, 8);
  CHECK_THROWS_WITH(rsn2(70, "gradients").apply(net.network, net.tasks, &data, 1),
                    Catch::Contains("needs data for Input.b"));
}

TEST_CASE("Gradients that are not finite are told, and nothing is masked", "[scores]") {
  Net net;
  HostArray w = net.value("hidden");
  w.set_value(0, std::numeric_limits<double>::infinity());
  net.network.set_parameter("hidden.W", w);
  auto data = batches(net.options, 16, 8);
  CHECK_THROWS_AS(rsn2(70, "gradients").apply(net.network, net.tasks, &data, 1), NumericError);
  CHECK_FALSE(net.network.store().any_packed_or_masked());
}
