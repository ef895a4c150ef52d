// Blocks with a way around them: their formulas, derivatives, causality, and several updates.
#include "layers/cases.hpp"
#include "layers/network_differences.hpp"
#include "squall/core/residual_blocks.hpp"

namespace {

using namespace squall;
using namespace squall::testing;

SQUALL_LAYER_CASES(FoldHalves, {.name = "sum", .inputs = {{"default", {2, 4}}}},
                   {.name = "average", .options = {{"mode", "average"}}, .inputs = {{"default", {4}}}},
                   {.name = "product",
                    .options = {{"mode", "multiply"}},
                    .inputs = {{"default", {6}}},
                    .rejects = {{.inputs = {{"default", {3}}}, .says = {"(T, B, 3)", "should be even"}}}})

constexpr Index kLength = 7;

struct WaveNet {
  explicit WaveNet(const std::vector<WaveNetOptions>& blocks) {
    Architecture a;
    a.input({{"default", {"B", kLength, 3}}});
    Port x = a["Input.default"];
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      const WaveNetBlock block = build_wavenet_block(a, "Block" + std::to_string(i), x, blocks[i]);
      block.skip >> a.add("Bent" + std::to_string(i), "Elementwise", {{"activation", "tanh"}}) >>
          a.add("Skipped" + std::to_string(i), "Loss");
      x = block.residual;
    }
    x >> a.add("Bent", "Elementwise", {{"activation", "sigmoid"}}) >> a.add("Loss", "Loss");
    net = inspectable(a);
    fill_with_numbers(*net);
    net->provide({{{"default", numbers(Shape{2, kLength, 3}, "data")}}});
  }
  std::unique_ptr<Network> net;
};

const WaveNetOptions kOwnSkip{.channels = 3, .gate_channels = 4, .kernel = 2, .dilation = 2, .skip_channels = 5};
const WaveNetOptions kNumpyMl{.channels = 3, .gate_channels = 2, .kernel = 3, .one_filter = true};

TEST_CASE("WaveNet's block gates a causal convolution and adds it to its input") {
  const WaveNet w({kOwnSkip});
  w.net->forward(Mode::Train);
  const HostArray x = w.net->get("Input.outputs.default"), W = w.net->get("Block0_filter.parameters.W"),
                  V = w.net->get("Block0_gate.parameters.W"), b = w.net->get("Block0_filter.parameters.bias"),
                  c = w.net->get("Block0_gate.parameters.bias"), P = w.net->get("Block0_projection.parameters.W"),
                  p = w.net->get("Block0_projection.parameters.bias"), y = w.net->get("Block0_sum.outputs.default");
  for (Index n = 0; n < 2; ++n)
    for (Index t = 0; t < kLength; ++t)
      for (Index out = 0; out < 3; ++out) {
        double want = x.value((n * kLength + t) * 3 + out) + p.value(out);
        for (Index g = 0; g < 4; ++g) {
          double value = b.value(g), gate = c.value(g);
          for (Index tap = 0; tap < 2; ++tap) {
            const Index from = t - 2 * (1 - tap);
            for (Index i = 0; i < 3 && from >= 0; ++i) {
              value += W.value((g * 2 + tap) * 3 + i) * x.value((n * kLength + from) * 3 + i);
              gate += V.value((g * 2 + tap) * 3 + i) * x.value((n * kLength + from) * 3 + i);
            }
          }
          want += P.value(out * 4 + g) * std::tanh(value) / (1 + std::exp(-gate));
        }
        CHECK(y.value((n * kLength + t) * 3 + out) == Approx(want));
      }
}

TEST_CASE("WaveNet's blocks have their derivatives with one filter and two and with either skip") {
  const WaveNet w({kNumpyMl, kOwnSkip});
  CHECK(check_gradients(*w.net) > 100);
  CHECK(w.net->get("Block1_skip.outputs.default").shape() == Shape{2, kLength, 5});
  CHECK(w.net->get("Block0_projection.outputs.default").shape() == Shape{2, kLength, 3});
}

TEST_CASE("no output of WaveNet's blocks sees a later input") {
  const WaveNet w({kNumpyMl, kOwnSkip});
  w.net->forward(Mode::Eval);
  const HostArray before = w.net->get("Block1_sum.outputs.default");
  HostArray changed = numbers(Shape{2, kLength, 3}, "data");
  for (Index n = 0; n < 2; ++n)
    for (Index i = 4 * 3; i < kLength * 3; ++i) changed.set_value(n * kLength * 3 + i, 9.0);
  w.net->provide({{{"default", changed}}});
  w.net->forward(Mode::Eval);
  const HostArray after = w.net->get("Block1_sum.outputs.default");
  for (Index n = 0; n < 2; ++n)
    for (Index i = 0; i < kLength * 3; ++i) {
      const Index at = n * kLength * 3 + i;
      CHECK((after.value(at) == before.value(at)) == (i < 4 * 3));
    }
}

std::unique_ptr<Network> residual(const ResidualOptions& options) {
  Architecture a;
  a.input({{"default", {"B", 5, 4, 2}}});
  build_residual_block(a, "Block", a["Input.default"], options) >> a.add("Loss", "Loss");
  auto net = inspectable(a);
  fill_with_numbers(*net);
  net->provide({{{"default", numbers(Shape{3, 5, 4, 2}, "data")}}});
  return net;
}

TEST_CASE("residual blocks have their derivatives with and without a convolution on the way around") {
  const auto same = residual({.filters = 3, .out_filters = 2, .activation = "tanh"});
  CHECK(check_gradients(*same) == 3 * 9 * 2 + 2 * 9 * 3 + 2 * (3 + 2));
  CHECK(same->get("Block_act2.outputs.default").shape() == Shape{3, 5, 4, 2});
  const auto half =
      residual({.filters = 3, .out_filters = 4, .kernel = 2, .stride = 2, .activation = "tanh", .projected = true});
  CHECK(check_gradients(*half) == 3 * 4 * 2 + 4 * 4 * 3 + 4 * 2 + 2 * (3 + 4 + 4));
  CHECK(half->get("Block_act2.outputs.default").shape() == Shape{3, 3, 2, 4});
}

TEST_CASE("a residual block whose second norm is silent gives its input through the activation") {
  const auto net = residual({.filters = 3, .out_filters = 2});
  net->set_parameter("Block_norm2.weight", HostArray(DType::F64, Shape{2}));
  net->set_parameter("Block_norm2.bias", HostArray(DType::F64, Shape{2}));
  net->forward(Mode::Train);
  const HostArray x = net->get("Input.outputs.default"), y = net->get("Block_act2.outputs.default");
  for (Index i = 0; i < x.elements(); ++i) CHECK(y.value(i) == std::max(x.value(i), 0.0));
}

// Plain gradient descent, three times: what an earlier pass left must not matter.
void three_updates(Network& net) {
  double last = loss_of(net);
  for (int update = 0; update < 3; ++update) {
    net.backward();
    for (const auto& e : net.store().entries()) {
      const std::string layer = net.graph().node(e.node).name;
      HostArray values = net.get(layer + ".parameters." + e.info->name);
      const HostArray gradient = net.get(layer + ".gradients." + e.info->name);
      for (Index i = 0; i < values.elements(); ++i) values.set_value(i, values.value(i) - 0.01 * gradient.value(i));
      net.set_parameter(layer + "." + e.info->name, values);
    }
    const double loss = loss_of(net);
    CHECK(loss < last);
    last = loss;
  }
}

TEST_CASE("three updates in a row lower the loss of every block") {
  three_updates(*WaveNet({kNumpyMl, kOwnSkip}).net);
  three_updates(*residual({.filters = 3, .out_filters = 2, .activation = "sigmoid"}));
  three_updates(*residual({.filters = 3, .out_filters = 4, .stride = 2, .activation = "sigmoid", .projected = true}));
}

TEST_CASE("the directions of a bidirectional LSTM can be summed and averaged and multiplied") {
  for (const char* mode : {"sum", "average", "multiply"}) {
    Architecture a;
    a.input({{"default", {"T", "B", 2}}});
    a["Input.default"] >> a.add("LSTM", "LSTM", {{"hidden_size", 3}, {"bidirectional", true}}) >>
        a.add("Fold", "FoldHalves", {{"mode", mode}}) >> a.add("Bent", "Elementwise", {{"activation", "tanh"}}) >>
        a.add("Loss", "Loss");
    const auto net = inspectable(a);
    fill_with_numbers(*net);
    net->provide({{{"default", numbers(Shape{4, 2, 2}, "data")}}});
    CHECK(check_gradients(*net) > 100);
    CHECK(net->get("Fold.outputs.default").shape() == Shape{4, 2, 3});
    three_updates(*net);
  }
}

TEST_CASE("blocks without filters are refused") {
  Architecture a;
  a.input({{"default", {"B", 5, 4, 2}}});
  CHECK_THROWS_WITH(build_residual_block(a, "Block", a["Input.default"], {.filters = 2}),
                    "Block: out_filters should be a positive whole number, not 0");
  CHECK_THROWS_WITH(build_wavenet_block(a, "Block", a["Input.default"], {.channels = 2}),
                    "Block: gate_channels should be a positive whole number, not 0");
}

}  // namespace
