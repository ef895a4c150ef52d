// Losses of gradients: what the layers for them compute, and that WGAN-GP's penalty is differentiated exactly.
#include <set>

#include "layers/cases.hpp"
#include "layers/network_differences.hpp"
#include "squall/core/critic_blocks.hpp"

namespace {

using namespace squall;
using namespace squall::testing;
using Values = std::vector<double>;

CaseInput fixed(const std::string& name, std::vector<Index> features, bool optional = false) {
  return {.name = name, .features = std::move(features), .leading = {}, .optional = optional};
}

SQUALL_LAYER_CASES(Detach, {.name = "steps", .inputs = {{"default", {3, 2}}}, .derivative = false},
                   {.name = "weight", .inputs = {fixed("default", {3, 2})}, .derivative = false})

SQUALL_LAYER_CASES(TiedDense,
                   {.name = "with a bias",
                    .inputs = {{"default", {2, 2}}, fixed("W", {3, 4}), fixed("bias", {3}, true)}},
                   {.name = "transposed",
                    .options = {{"transposed", true}},
                    .inputs = {{"default", {3}}, fixed("W", {3, 2, 2}), fixed("bias", {4}, true)},
                    .rejects = {{.options = {{"transposed", true}},
                                 .inputs = {{"default", {5}}, fixed("W", {3, 4}), fixed("bias", {4})},
                                 .says = {"input 'default' is (T, B, 5)", "should have 3 features"}},
                                {.inputs = {{"default", {3}}, {"W", {3, 4}}, fixed("bias", {4})},
                                 .says = {"input 'W' should be a weight (units, inputs) without time and batch"}},
                                {.options = {{"transposed", true}},
                                 .inputs = {{"default", {3}}, fixed("W", {3, 4}), fixed("bias", {3})},
                                 .says = {"input 'bias' should have 4 numbers"}}}})

LayerCase slope_of(const std::string& function, json options = json::object()) {
  options["function"] = function;
  LayerCase c;
  c.name = function;
  c.options = options;
  c.inputs = {{"default", {3}}, {"x", {3}}};
  c.tolerance_f32 = 1e-4;
  return c;
}
LayerCase slope_with_rejections() {
  LayerCase c = slope_of("relu");
  c.rejects = {{.options = {{"function", "softmax"}}, .says = {"function of single elements, not softmax"}},
               {.options = {{"function", "relu"}}, .inputs = {{"default", {3}}, {"x", {4}}}, .says = {"same shape"}}};
  return c;
}

SQUALL_LAYER_CASES(ActivationGradient, slope_with_rejections(), slope_of("tanh"), slope_of("sigmoid"),
                   slope_of("linear"), slope_of("affine", {{"slope", 2.5}}),
                   slope_of("leaky_relu", {{"negative_slope", 0.3}}), slope_of("elu"), slope_of("selu"),
                   slope_of("celu", {{"alpha", 0.6}}), slope_of("gelu"), slope_of("gelu_tanh"), slope_of("silu"),
                   slope_of("mish"), slope_of("logsigmoid"), slope_of("hardsigmoid"), slope_of("hardswish"),
                   slope_of("hardtanh"), slope_of("softplus", {{"beta", 2.0}}), slope_of("softsign"),
                   slope_of("tanhshrink"), slope_of("exponential"), slope_of("relu6"), slope_of("hardshrink"),
                   slope_of("softshrink"))

SQUALL_LAYER_CASES(GradientPenalty, {.name = "length one", .inputs = {{"default", {2, 3}}}},
                   {.name = "short", .options = {{"target", 0.2}}, .inputs = {{"default", {3}}}})

TEST_CASE("a gradient of length 0 sends nothing back") {
  Architecture a;
  a.input({{"default", {"B", 3}}});
  a["Input.default"] >> a.add("Penalty", "GradientPenalty");
  a["Penalty.loss"] >> a.add("Loss", "Loss");
  const auto net = inspectable(a);
  net->provide({{{"default", HostArray::of(Shape{2, 3}, Values{0, 0, 0, 0, 3, 4})}}});
  net->forward(Mode::Train);
  CHECK(net->total_loss() == Approx((1.0 + 16.0) / 2));
  net->backward();
  const Values got = net->get("Input.output_deltas.default").doubles();
  const Values want{0, 0, 0, 0, 0.5 * 2 * 4 / 5 * 3, 0.5 * 2 * 4 / 5 * 4};
  for (std::size_t i = 0; i < want.size(); ++i) CHECK(got[i] == Approx(want[i]).margin(1e-12));
}

// A critic of three dense layers at real, made and mixed examples, and its gradient at the mixed ones.
std::unique_ptr<Network> adversary(const std::string& function) {
  Architecture a;
  a.input({{"real", {"B", 3}}, {"made", {"B", 3}}, {"mixed", {"B", 3}}, {"ones", {"B", 1}}});
  const CriticOptions how{.units = {4, 4}, .activation = {{"function", function}}};
  build_critic(a, "Critic", a["Input.real"], how) >> a.add("Real", "Loss", {{"importance", -1.0}});
  build_critic_at(a, "Critic", "Made", a["Input.made"], how) >> a.add("Made", "Loss");
  build_critic_at(a, "Critic", "Mixed", a["Input.mixed"], how);
  build_critic_gradient(a, "Critic", "Mixed", a["Input.ones"], how) >> a.add("Penalty", "GradientPenalty");
  a["Penalty.loss"] >> a.add("Lengths", "Loss", {{"importance", 10.0}});
  auto net = inspectable(a);
  fill_with_numbers(*net, 0.7);
  Batch batch;
  for (const char* name : {"real", "made", "mixed"}) batch.fields.emplace_back(name, numbers(Shape{5, 3}, name));
  batch.fields.emplace_back("ones", HostArray::of(Shape{5, 1}, Values(5, 1.0)));
  net->provide(batch);
  return net;
}

TEST_CASE("the gradient of a critic as a network is what backward gives") {
  const auto net = adversary("tanh");
  net->forward(Mode::Train);
  const HostArray g = net->get("Mixed_back_1.outputs.default");
  // The same critic, and a loss that is the sum of its scores at the mixed examples.
  Architecture plain;
  plain.input({{"default", {"B", 3}}});
  Port x = plain["Input.default"];
  for (const char* name : {"Critic_1", "Critic_2", "Critic_3"}) {
    const bool last = std::string(name) == "Critic_3";
    x = x >> plain.add(name, "Dense", {{"units", last ? 1 : 4}, {"activation", last ? "linear" : "tanh"}});
  }
  x >> plain.add("Loss", "Loss", {{"importance", 5.0}});
  const auto other = inspectable(plain);
  fill_with_numbers(*other, 0.7);
  other->provide({{{"default", numbers(Shape{5, 3}, "mixed")}}});
  other->forward(Mode::Train);
  other->backward();
  const HostArray want = other->get("Input.output_deltas.default");
  for (Index i = 0; i < want.elements(); ++i) CHECK(g.value(i) == Approx(want.value(i)).margin(1e-12));
}

TEST_CASE("the loss of WGAN-GP is its formula and its gradient is exact through the penalty") {
  for (const char* function : {"tanh", "leaky_relu", "silu", "softplus", "elu"}) {
    INFO(function);
    const auto net = adversary(function);
    const double loss = loss_of(*net);
    const HostArray real = net->get("Critic_3.outputs.default"), made = net->get("Made_3.outputs.default"),
                    g = net->get("Mixed_back_1.outputs.default");
    double want = 0;
    for (Index n = 0; n < 5; ++n) {
      const double length = std::sqrt(g.value(3 * n) * g.value(3 * n) + g.value(3 * n + 1) * g.value(3 * n + 1) +
                                      g.value(3 * n + 2) * g.value(3 * n + 2));
      want += (made.value(n) - real.value(n) + 10 * (length - 1) * (length - 1)) / 5;
    }
    CHECK(loss == Approx(want));
    CHECK(check_gradients(*net) == 4 * 3 + 4 + 4 * 4 + 4 + 4 + 1);
    check_gradients(*net, {"Lengths"});
  }
}

TEST_CASE("what a critic sends back to a generator does not train the critic where its weights are detached") {
  Architecture a;
  a.input({{"noise", {"B", 2}}, {"real", {"B", 3}}});
  const CriticOptions how{.units = {4}};
  const Port made = a["Input.noise"] >> a.add("Generator", "Dense", {{"units", 3}});
  build_critic(a, "Critic", a["Input.real"], how) >> a.add("Real", "Loss", {{"importance", -1.0}});
  build_critic_at(a, "Critic", "Seen", made >> a.add("Still", "Detach"), how) >> a.add("Made", "Loss");
  build_critic_at(a, "Critic", "Fooled", made, how, Weights::Detached) >> a.add("Loss", "Loss", {{"importance", -1.0}});
  const auto net = inspectable(a);
  fill_with_numbers(*net);
  net->provide({{{"noise", numbers(Shape{4, 2}, "noise")}, {"real", numbers(Shape{4, 3}, "real")}}});
  const auto trained = [&](const std::vector<std::string>& heads) {
    std::set<std::string> names;
    for (const auto& piece : net->trainable(net->pass(Mode::Train, heads)))
      names.insert(net->graph().node(piece.entry->node).name);
    return names;
  };
  CHECK(trained({"Real", "Made"}) == std::set<std::string>{"Critic_1", "Critic_2"});
  CHECK(trained({"Loss"}) == std::set<std::string>{"Generator"});
  CHECK(check_gradients(*net, {"Loss"}, "Generator") == 3 * 2 + 3);
}

TEST_CASE("a critic without units is one product and one with a layer of none is refused") {
  Architecture a;
  a.input({{"real", {"B", 3}}, {"ones", {"B", 1}}});
  const Port score = build_critic(a, "Critic", a["Input.real"], {});
  score >> a.add("Loss", "Loss");
  build_critic_at(a, "Critic", "Again", a["Input.real"], {});
  build_critic_gradient(a, "Critic", "Again", a["Input.ones"], {}) >> a.add("End", "Loss");
  const auto net = inspectable(a);
  fill_with_numbers(*net);
  net->provide({{{"real", numbers(Shape{2, 3}, "real")}, {"ones", HostArray::of(Shape{2, 1}, Values{1, 1})}}});
  net->forward(Mode::Train);
  const HostArray g = net->get("Again_back_1.outputs.default"), W = net->get("Critic_1.parameters.W");
  for (Index i = 0; i < 6; ++i) CHECK(g.value(i) == W.value(i % 3));
  CHECK_THROWS_WITH(build_critic(a, "Other", a["Input.real"], {.units = {3, 0}}),
                    "Other: units should be positive whole numbers, not 0");
}

}  // namespace
