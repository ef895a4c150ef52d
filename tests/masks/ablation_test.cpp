// What is used instead of a mask: nothing, its complement, random values, random sets of the same size.
#include "masks/learned_mask_nets.hpp"

using namespace squall;
using namespace squall::test;

namespace {

const json kMask = {{"@type", "ContinuousSparsification"}};
const json kBoth = {{"@type", "ContinuousSparsification"}, {"mask_bias", true}};

}  // namespace

TEST_CASE("Scores have the shape of their unit") {
  const auto shape = [](const char* unit, const json& layer, const json& features) {
    const MaskedNet m(json{{"@type", "HardConcrete"}, {"mask_unit", unit}}, layer, features);
    return m.net->get("Layer.parameters.W_scores").shape();
  };
  const json dense = {{"@type", "Dense"}, {"units", 20}};
  const json conv = {{"@type", "Conv2D"}, {"filters", 4}, {"kernel_size", {2, 3}}};
  const json images = json::array({5, 5, 3});
  CHECK(shape("weight", dense, {10}) == Shape{20, 10});
  CHECK(shape("neuron", dense, {10}) == Shape{20, 1});
  CHECK(shape("weight", conv, images) == Shape{4, 2, 3, 3});
  CHECK(shape("neuron", conv, images) == Shape{4, 2, 3, 1});
  CHECK(shape("filter", conv, images) == Shape{4, 1, 1, 1});
  const MaskedNet plain(kMask), both(kBoth);
  CHECK(plain.net->store().find("Layer", "bias_scores") == nullptr);
  CHECK(both.net->get("Layer.parameters.bias_scores").shape() == Shape{20});
}

TEST_CASE("A neuron's score decides about all weights of the neuron") {
  const MaskedNet m(json{{"@type", "ContinuousSparsification"}, {"mask_unit", "neuron"}, {"mask_init_value", 1}});
  CHECK(l0_statistics(*m.net).l0 == 200);
  Values scores(20, 1.0);
  for (std::size_t i = 0; i < 3; ++i) {
    scores[i] = -1;
    m.set("W_scores", scores);
    CHECK(l0_statistics(*m.net).l0 == 190 - 10 * static_cast<Index>(i));
  }
  CHECK(sum(m.mask()) == 170);
}

TEST_CASE("A filter's score removes one map with its bias where they are tied") {
  const MaskedNet m(
      {{"@type", "ContinuousSparsification"}, {"mask_unit", "filter"}, {"tie_bias", true}, {"mask_init_value", 1}},
      {{"@type", "Conv2D"}, {"filters", 3}, {"kernel_size", 2}}, json::array({4, 4, 3}));
  m.set("bias", {1, 2, 3});
  const Values before = m.output();
  m.set("W_scores", {1, -1, 1});
  const Values after = m.output();
  for (std::size_t i = 0; i < after.size(); ++i) CHECK(after[i] == (i % 3 == 1 ? 0.0 : before[i]));
  CHECK(l0_statistics(*m.net).l0 == 2 * (12 + 1));
}

TEST_CASE("Without masks the output is that of the plain layer bit for bit") {
  const MaskedNet plain{json()}, masked(kBoth);
  masked.spread_scores();
  CHECK(masked.output() != plain.output());
  set_use_masks(*masked.net, false);
  CHECK(masked.output() == plain.output());
  CHECK(masked.output(Mode::Train) == plain.output());
  set_use_masks(*masked.net, true, "Other*");
  CHECK(masked.output() == plain.output());
}

TEST_CASE("All kept is the plain layer and nothing kept leaves the bias") {
  const MaskedNet plain{json()};
  const MaskedNet all(json{{"@type", "ContinuousSparsification"}, {"mask_init_value", 0.1}});
  CHECK(all.output() == plain.output());
  const MaskedNet none(json{{"@type", "ContinuousSparsification"}, {"mask_init_value", -0.1}});
  const Values bias = none.values("bias"), y = none.output();
  for (std::size_t i = 0; i < y.size(); ++i) CHECK(y[i] == bias[i % 20]);
}

TEST_CASE("zero_ablate is the rest of the subnetwork") {
  const MaskedNet m(kBoth);
  m.spread_scores();
  const Values none = m.mask();
  m.ablate(Ablation::ZeroAblate);
  const Values rest = m.mask();
  for (std::size_t i = 0; i < none.size(); ++i) CHECK(none[i] + rest[i] == 1);
  CHECK(m.kept() == none);  // the subnetwork is the same
}

TEST_CASE("random_ablate puts random values within bounds where the subnetwork was") {
  const auto seen = [](const json& mask, std::uint64_t seed, bool other = false) {
    const MaskedNet m(mask, {{"@type", "Dense"}, {"units", 20}}, json::array({10}), "cpu:f64", seed);
    m.spread_scores();
    m.ablate(Ablation::RandomAblate, other);
    const Values w = m.values("W"), kept = m.kept(), got = m.seen();
    for (std::size_t i = 0; i < w.size(); ++i) {
      if (kept[i] == 0) CHECK(got[i] == w[i]);
      if (kept[i] != 0) CHECK(got[i] != w[i]);
      if (kept[i] != 0 && !mask.contains("random_values")) CHECK(std::abs(got[i]) <= 1 / std::sqrt(10.0));
    }
    return got;
  };
  CHECK(seen(kMask, 1) == seen(kMask, 1));
  CHECK(seen(kMask, 1) != seen(kMask, 2));
  CHECK(seen(kMask, 1) != seen(kMask, 1, true));
  json normal = kBoth;
  normal["random_values"] = "normal";
  const MaskedNet m(normal);
  m.spread_scores("W_scores", 9);
  m.spread_scores("bias_scores", 9);
  m.ablate(Ablation::RandomAblate);
  const Values w = m.seen();
  double squares = 0;
  for (const double v : w) squares += v * v;
  CHECK(std::sqrt(squares / 200) == Approx(0.02).epsilon(0.2));
  CHECK(m.seen("bias") == Values(20, 0.0));
}

TEST_CASE("randomly_sampled drops as many as the subnetwork has from anywhere") {
  for (const double shift : {-0.7, 0.7}) {  // below and above half
    const MaskedNet m(kMask);
    m.spread_scores("W_scores", shift);
    const auto k = static_cast<Index>(sum(m.kept()));
    m.ablate(Ablation::RandomlySampled);
    CHECK(zeros(m.mask()) == k);
    Values hits(200, 0.0);
    constexpr int kDraws = 400;
    for (int d = 0; d < kDraws; ++d) {
      m.ablate(Ablation::RandomlySampled, true);
      const Values mask = m.mask();
      for (std::size_t i = 0; i < mask.size(); ++i) hits[i] += mask[i] == 0 ? 1 : 0;
    }
    const double p = static_cast<double>(k) / 200;
    double chi = 0;
    for (const double h : hits) chi += (h - kDraws * p) * (h - kDraws * p) / (kDraws * p * (1 - p));
    CHECK(chi < 200 + 4 * std::sqrt(2 * 200.0));
    CHECK(chi > 200 - 4 * std::sqrt(2 * 200.0));
  }
}

TEST_CASE("complement_sampled drops as many from outside the subnetwork") {
  const MaskedNet m(kMask);
  m.spread_scores("W_scores", -0.7);
  const Values kept = m.kept();
  m.ablate(Ablation::ComplementSampled);
  const Values mask = m.mask();
  CHECK(zeros(mask) == static_cast<Index>(sum(kept)));
  for (std::size_t i = 0; i < kept.size(); ++i)
    if (kept[i] != 0) CHECK(mask[i] == 1);
  m.spread_scores("W_scores", 0.7);
  CHECK(has(error_of([&] { m.net->forward(Mode::Eval); }),
            "complement_sampled: the mask of Layer.W keeps " + std::to_string(static_cast<int>(sum(m.kept())))));
}

TEST_CASE("Nothing is ablated while scores are trained unless they are frozen") {
  const MaskedNet m(kMask);
  m.ablate(Ablation::ZeroAblate);
  CHECK(has(error_of([&] { m.net->forward(Mode::Train); }),
            "the mask of Layer.W cannot ablate (zero_ablate) while its scores are trained"));
  CHECK_NOTHROW(m.net->forward(Mode::Eval));
  m.ablate(Ablation::None);
  CHECK_NOTHROW(m.net->forward(Mode::Train));
  const MaskedNet frozen(json{{"@type", "HardConcrete"}, {"freeze_scores", true}});
  frozen.spread_scores();
  CHECK(frozen.mask(Mode::Train) == frozen.kept());
  frozen.ablate(Ablation::ZeroAblate);
  CHECK(zeros(frozen.mask(Mode::Train)) == static_cast<Index>(sum(frozen.kept())));
}

TEST_CASE("Sampled masks stay until they are drawn again for weights and biases") {
  const MaskedNet m(kBoth);
  m.spread_scores();
  m.spread_scores("bias_scores");
  m.ablate(Ablation::RandomlySampled);
  const Values weights = m.mask(), biases = m.mask(Mode::Eval, 1);
  CHECK(m.mask() == weights);
  m.ablate(Ablation::RandomlySampled, true);
  const Values again = m.mask(), other_biases = m.mask(Mode::Eval, 1);
  CHECK(again != weights);
  CHECK(other_biases != biases);
  CHECK(m.mask() == again);  // once
}

TEST_CASE("A sampled mask is drawn anew for another mode and other scores and is not saved") {
  const MaskedNet m(kMask);
  m.spread_scores("W_scores", -0.5);
  m.ablate(Ablation::RandomlySampled);
  const Values random = m.mask();
  m.ablate(Ablation::ComplementSampled);
  const Values outside = m.mask(), kept = m.kept();
  CHECK(outside != random);
  for (std::size_t i = 0; i < kept.size(); ++i)
    if (kept[i] != 0) CHECK(outside[i] == 1);
  m.set("W_scores", [&] {
    Values s = m.values("W_scores");
    std::ranges::reverse(s);
    return s;
  }());
  const Values moved = m.kept(), drawn = m.mask();
  for (std::size_t i = 0; i < moved.size(); ++i)
    if (moved[i] != 0) CHECK(drawn[i] == 1);
  CHECK(m.net->store().entries().size() == 3);  // W, bias, W_scores
}

TEST_CASE("Counting weights draws nothing and changes nothing") {
  const MaskedNet a(json{{"@type", "HardConcrete"}}), b(json{{"@type", "HardConcrete"}});
  a.spread_scores();
  b.spread_scores();
  a.ablate(Ablation::RandomlySampled);
  b.ablate(Ablation::RandomlySampled);
  for (int i = 0; i < 3; ++i) {
    CHECK(l0_statistics(*a.net).max_l0 == 200);
    CHECK(l0_statistics(*a.net).l0 == 200 - static_cast<Index>(sum(a.kept())));
  }
  CHECK(a.mask() == b.mask());
  CHECK(a.part().mask->ablation() == Ablation::RandomlySampled);
}
