// RNN, LSTM, GRU and their cells: the properties of all layers, sequences that end early, contexts.
#include "layers/cases.hpp"
#include "squall/core/network.hpp"
#include "squall/core/random.hpp"
#include "support/handlers_under_test.hpp"

namespace {

using namespace squall;
using squall::testing::CaseInput;
using squall::testing::LayerCase;
using squall::testing::Rejection;

CaseInput states(const std::string& name, Index count, Index width) {
  return {.name = name, .features = {count, width}, .leading = {"B"}, .optional = true};
}

const std::vector<Rejection> kRejects{
    {.says = {"option 'hidden_size' should be a positive whole number"}},
    {.options = {{"hidden_size", 0}}, .says = {"option 'hidden_size' should be a positive whole number, not 0"}},
    {.options = {{"hidden_size", 2}, {"num_layers", 0}}, .says = {"option 'num_layers' should be", "not 0"}},
    {.options = {{"hidden_size", 2}, {"dropout", 1.0}}, .says = {"option 'dropout' should be in [0, 1)"}},
    {.options = {{"hidden_size", 2}},
     .inputs = {{"default", {3}}, states("h0", 2, 2)},
     .says = {"input 'h0' should be (B, 1, 2)", "(B, 2, 2)"}}};

SQUALL_LAYER_CASES(RNN, {.name = "one layer", .options = {{"hidden_size", 3}}, .inputs = {{"default", {2}}}},
                   {.name = "two layers from given states",
                    .options = {{"hidden_size", 4}, {"num_layers", 2}, {"nonlinearity", "relu"}},
                    .inputs = {{"default", {3}}, states("h0", 2, 4)}},
                   {.name = "both directions on images without bias",
                    .options = {{"hidden_size", 2}, {"bidirectional", true}, {"bias", false}},
                    .inputs = {{"default", {2, 1, 2}}},
                    .rejects = kRejects})

SQUALL_LAYER_CASES(LSTM, {.name = "one layer", .options = {{"hidden_size", 3}}, .inputs = {{"default", {2}}}},
                   {.name = "two layers in both directions from given states",
                    .options = {{"hidden_size", 2}, {"num_layers", 2}, {"bidirectional", true}},
                    .inputs = {{"default", {3}}, states("h0", 4, 2), states("c0", 4, 2)}},
                   {.name = "projected",
                    .options = {{"hidden_size", 3}, {"proj_size", 2}},
                    .inputs = {{"default", {2}}, states("h0", 1, 2), states("c0", 1, 3)},
                    .rejects = {{.options = {{"hidden_size", 3}, {"proj_size", 3}},
                                 .says = {"option 'proj_size' should be 0 or less than hidden_size 3"}}}})

SQUALL_LAYER_CASES(GRU, {.name = "one layer", .options = {{"hidden_size", 3}}, .inputs = {{"default", {2}}}},
                   {.name = "two layers in both directions from given states",
                    .options = {{"hidden_size", 2}, {"num_layers", 2}, {"bidirectional", true}},
                    .inputs = {{"default", {3}}, states("h0", 4, 2)}})

CaseInput state(const std::string& name, std::vector<Index> features) {
  return {.name = name, .features = std::move(features), .optional = true};
}
const std::vector<Rejection> kCellRejects{{.says = {"option 'hidden_size' should be a positive whole number"}},
                                          {.options = {{"hidden_size", 2}},
                                           .inputs = {{"default", {3}}, state("h0", {3})},
                                           .says = {"input 'h0' should be (T, B, 2)", "(T, B, 3)"}}};

SQUALL_LAYER_CASES(RNNCell, {.name = "vectors",
                             .options = {{"hidden_size", 3}, {"nonlinearity", "relu"}},
                             .inputs = {{"default", {2}}, state("h0", {3})},
                             .rejects = kCellRejects})
SQUALL_LAYER_CASES(LSTMCell,
                   {.name = "vectors",
                    .options = {{"hidden_size", 3}},
                    .inputs = {{"default", {2}}, state("h0", {3}), state("c0", {3})}},
                   {.name = "several rows without bias",
                    .options = {{"hidden_size", 2}, {"bias", false}},
                    .inputs = {{"default", {2, 3}}, state("h0", {2, 2}), state("c0", {2, 2})},
                    .rejects = kCellRejects})
SQUALL_LAYER_CASES(GRUCell, {.name = "vectors",
                             .options = {{"hidden_size", 3}},
                             .inputs = {{"default", {2}}, state("h0", {3})},
                             .rejects = kCellRejects})

constexpr Index kIn = 3, kUnits = 5;

HostArray random(const Shape& shape, const std::string& name) {
  HostArray a(DType::F64, shape);
  Rng rng(8, name);
  for (double& v : a.span<double>()) v = static_cast<double>(static_cast<float>(rng.normal()));
  return a;
}
HostArray part(const HostArray& x, Index first, Index count) {
  return HostArray::copy_of(ConstTensor(x.view()).slice(first, count));
}
HostArray column(const std::vector<double>& values) {
  HostArray a(DType::I32, Shape{static_cast<Index>(values.size()), 1});
  for (std::size_t i = 0; i < values.size(); ++i) a.set_value(static_cast<Index>(i), values[i]);
  return a;
}
// Steps of one sequence of (T, B, features).
HostArray single(const HostArray& x, Index sequence, Index length) {
  const Index batch = x.shape()[1], features = x.shape().from(2).elements();
  HostArray out(DType::F64, Shape{length, 1, features});
  for (Index t = 0; t < length; ++t)
    for (Index k = 0; k < features; ++k)
      out.set_value(t * features + k, x.value((t * batch + sequence) * features + k));
  return out;
}

std::unique_ptr<Network> make(const std::string& type, const json& options, bool lengths,
                              const std::string& handler = "cpu:f64") {
  Catalog catalog;
  register_layers(catalog);
  squall::testing::register_weighted_sum(catalog);
  Architecture a;
  json shapes{{"default", {"T", "B", kIn}}};
  if (lengths) shapes["lengths"] = {"B", 1};
  a.input(shapes);
  a["Input.default"] >> a.add("R", type, options);
  if (lengths) a["Input.lengths"] >> a["R.lengths"];
  NetworkOptions network;
  network.memory = MemoryMode::Inspectable;
  auto net = std::make_unique<Network>(a, catalog, squall::test::make_under_test(handler, {.threads = 1}), network);
  for (const auto& node : net->graph().nodes())
    for (const auto& p : node.parameters) net->set_parameter(node.name + "." + p.name, random(p.shape, p.name));
  return net;
}
HostArray run(Network& net, const HostArray& x, Start start = Start::Fresh, Mode mode = Mode::Eval) {
  net.provide({{{"default", x}}});
  net.forward(mode, start);
  return net.get("R.outputs.default");
}
void check_close(const HostArray& a, const HostArray& b) {
  REQUIRE(a.elements() == b.elements());
  for (Index i = 0; i < a.elements(); ++i) CHECK(a.value(i) == Approx(b.value(i)).epsilon(1e-9).margin(1e-12));
}

}  // namespace

TEST_CASE("six steps of RNN and LSTM and GRU are two passes of three with the context carried") {
  const HostArray x = random({6, 4, kIn}, "x");
  for (const std::string type : {"RNN", "LSTM", "GRU"})
    for (const Mode mode : {Mode::Eval, Mode::Train}) {
      INFO(type);
      const json options{{"hidden_size", kUnits}, {"num_layers", 2}};
      const auto whole = make(type, options, false);
      const HostArray y = run(*whole, x, Start::Fresh, mode);
      const auto net = make(type, options, false);
      check_close(run(*net, part(x, 0, 3), Start::Fresh, mode), part(y, 0, 3));
      check_close(run(*net, part(x, 3, 3), Start::Continue, mode), part(y, 3, 3));
      check_close(net->get("R.outputs.hn"), whole->get("R.outputs.hn"));
      CHECK_FALSE(run(*net, part(x, 3, 3), Start::Fresh, mode) == part(y, 3, 3));
    }
}

TEST_CASE("RNN and LSTM and GRU treat sequences that end early as if they were alone") {
  constexpr Index kTime = 6;
  const std::vector<double> lengths{6, 2, 1, 4};
  const HostArray x = random({kTime, 4, kIn}, "x");
  for (const std::string type : {"RNN", "LSTM", "GRU"}) {
    INFO(type);
    const json options{{"hidden_size", kUnits}, {"num_layers", 2}, {"bidirectional", true}};
    const auto together = make(type, options, true);
    together->provide({{{"default", x}, {"lengths", column(lengths)}}});
    together->forward(Mode::Eval);
    const HostArray y = together->get("R.outputs.default"), hn = together->get("R.outputs.hn");
    for (Index b = 0; b < 4; ++b) {
      const auto length = static_cast<Index>(lengths[static_cast<std::size_t>(b)]);
      const auto alone = make(type, options, false);
      check_close(run(*alone, single(x, b, length)), single(y, b, length));
      check_close(alone->get("R.outputs.hn"), part(hn, b, 1));
      for (Index t = length; t < kTime; ++t)
        for (Index k = 0; k < 2 * kUnits; ++k) CHECK(y.value((t * 4 + b) * 2 * kUnits + k) == 0);
    }
  }
}

TEST_CASE("a length that is none of the steps is refused with the sequence and the number") {
  const auto net = make("GRU", {{"hidden_size", 2}}, true);
  net->provide({{{"default", random({3, 2, kIn}, "x")}, {"lengths", column({3, 4})}}});
  REQUIRE_THROWS_WITH(net->forward(Mode::Eval),
                      Catch::Contains("the length of sequence 1 is 4") && Catch::Contains("1 to 3"));
}

TEST_CASE("Dropout between recurrent layers works in training only") {
  const HostArray x = random({4, 3, kIn}, "x");
  const auto plain = make("LSTM", {{"hidden_size", kUnits}, {"num_layers", 2}}, false);
  const auto dropping = make("LSTM", {{"hidden_size", kUnits}, {"num_layers", 2}, {"dropout", 0.5}}, false);
  CHECK(run(*plain, x) == run(*dropping, x));
  CHECK_FALSE(run(*plain, x, Start::Fresh, Mode::Train) == run(*dropping, x, Start::Fresh, Mode::Train));
}
