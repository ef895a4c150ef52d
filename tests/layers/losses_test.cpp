// Criteria with reductions: their properties, what they refuse, and values that can be checked by hand.
#include <cmath>

#include "layers/cases.hpp"
#include "squall/core/network.hpp"
#include "support/handlers_under_test.hpp"

namespace {

using namespace squall;
using squall::testing::CaseInput;
using squall::testing::LayerCase;
constexpr auto kBinary = CaseInput::Values::Binary;
constexpr auto kLabels = CaseInput::Values::Labels;
constexpr auto kProbabilities = CaseInput::Values::Probabilities;
const json kNone = {{"reduction", "none"}};

std::vector<CaseInput> pair(CaseInput::Values of = CaseInput::Values::Normal,
                            CaseInput::Values targets = CaseInput::Values::Normal) {
  return {{"default", {2, 3}, of}, {"targets", {2, 3}, targets}};
}
std::vector<CaseInput> classes() { return {{"default", {2, 4}}, {"targets", {2, 1}, kLabels, 4}}; }
const std::vector<testing::Rejection> kUnequal = {
    {.inputs = {{"default", {4}}, {"targets", {1}}},
     .says = {"inputs 'default' and 'targets' should have the same shape, but are (T, B, 4) and (T, B, 1)"}}};

SQUALL_LAYER_CASES(L1, {.name = "none", .options = kNone, .inputs = pair(), .rejects = kUnequal},
                   {.name = "mean", .inputs = pair(), .coupled = true, .mixed = true},
                   {.name = "sum", .options = {{"reduction", "sum"}}, .inputs = pair(), .coupled = true, .mixed = true})
SQUALL_LAYER_CASES(Mse, {.name = "none", .options = kNone, .inputs = pair(), .rejects = kUnequal},
                   {.name = "mean", .inputs = pair(), .coupled = true, .mixed = true},
                   {.name = "sum", .options = {{"reduction", "sum"}}, .inputs = pair(), .coupled = true, .mixed = true})
SQUALL_LAYER_CASES(SmoothL1, {.name = "none", .options = {{"reduction", "none"}, {"beta", 0.8}}, .inputs = pair()},
                   {.name = "line", .options = {{"beta", 0.0}}, .inputs = pair(), .coupled = true, .mixed = true},
                   {.name = "mean",
                    .inputs = pair(),
                    .coupled = true,
                    .mixed = true,
                    .rejects = {{.options = {{"beta", -1.0}},
                                 .inputs = pair(),
                                 .says = {"SmoothL1 'Layer': option 'beta' should be 0 or more, not -1"}}}})
SQUALL_LAYER_CASES(Huber, {.name = "none", .options = {{"reduction", "none"}, {"delta", 0.6}}, .inputs = pair()},
                   {.name = "mean",
                    .inputs = pair(),
                    .coupled = true,
                    .mixed = true,
                    .rejects = {{.options = {{"delta", 0.0}},
                                 .inputs = pair(),
                                 .says = {"Huber 'Layer': option 'delta' should be above 0, not 0"}}}})
SQUALL_LAYER_CASES(Bce, {.name = "none", .options = kNone, .inputs = pair(kProbabilities, kBinary)},
                   {.name = "weighted",
                    .options = {{"weight", {0.5, 1.0, 2.0}}},
                    .inputs = pair(kProbabilities, kProbabilities),
                    .coupled = true,
                    .mixed = true,
                    .rejects = {{.options = {{"weight", {1.0}}},
                                 .inputs = pair(),
                                 .says = {"option 'weight' has 1 numbers", "each of the 3 entries of the last axis"}}}})
SQUALL_LAYER_CASES(BceWithLogits,
                   {.name = "none", .options = kNone, .inputs = pair(CaseInput::Values::Normal, kBinary)},
                   {.name = "weighted",
                    .options = {{"weight", {0.5, 1.0, 2.0}}, {"pos_weight", {3.0, 0.2, 1.0}}},
                    .inputs = pair(CaseInput::Values::Normal, kProbabilities),
                    .coupled = true,
                    .mixed = true})
SQUALL_LAYER_CASES(
    KlDiv, {.name = "none", .options = kNone, .inputs = pair(CaseInput::Values::Normal, kProbabilities)},
    {.name = "binary", .inputs = pair(CaseInput::Values::Normal, kBinary), .coupled = true, .mixed = true},
    {.name = "logarithms",
     .options = {{"reduction", "batchmean"}, {"log_target", true}},
     .inputs = pair(),
     .coupled = true,
     .mixed = true})
SQUALL_LAYER_CASES(PoissonNll, {.name = "none", .options = kNone, .inputs = pair(CaseInput::Values::Normal, kBinary)},
                   {.name = "counts",
                    .options = {{"log_input", false}, {"full", true}},
                    .inputs = pair(kProbabilities, kProbabilities),
                    .coupled = true,
                    .mixed = true})
SQUALL_LAYER_CASES(SoftMargin, {.name = "none", .options = kNone, .inputs = pair(CaseInput::Values::Normal, kBinary)},
                   {.name = "mean", .inputs = pair(), .coupled = true, .mixed = true})
SQUALL_LAYER_CASES(HingeEmbedding,
                   {.name = "none", .options = kNone, .inputs = pair(CaseInput::Values::Normal, kBinary)},
                   {.name = "mean", .options = {{"margin", 0.5}}, .inputs = pair(), .coupled = true, .mixed = true})
SQUALL_LAYER_CASES(
    GaussianNll,
    {.name = "none",
     .options = {{"reduction", "none"}, {"full", true}},
     .inputs = {{"default", {3}, kProbabilities}, {"targets", {3}, kProbabilities}, {"variance", {3}, kProbabilities}},
     .rejects = {{.inputs = {{"default", {3}}, {"targets", {3}}, {"variance", {1}}},
                  .says = {"inputs 'default' and 'variance' should have the same shape"}}}},
    {.name = "mean",
     .inputs = {{"default", {3}, kProbabilities}, {"targets", {3}, kProbabilities}, {"variance", {3}, kProbabilities}},
     .coupled = true,
     .mixed = true})
SQUALL_LAYER_CASES(MarginRanking,
                   {.name = "none",
                    .options = {{"reduction", "none"}, {"margin", 0.4}},
                    .inputs = {{"inputs_1", {3}}, {"inputs_2", {3}}, {"targets", {3}, kBinary}}},
                   {.name = "mean",
                    .inputs = {{"inputs_1", {3}}, {"inputs_2", {3}}, {"targets", {3}, kBinary}},
                    .coupled = true,
                    .mixed = true})
SQUALL_LAYER_CASES(CosineEmbedding,
                   {.name = "none",
                    .options = {{"reduction", "none"}, {"margin", 0.1}},
                    .inputs = {{"inputs_1", {2, 3}}, {"inputs_2", {2, 3}}, {"targets", {2, 1}, kBinary}},
                    .rejects = {{.inputs = {{"inputs_1", {3}}, {"inputs_2", {3}}, {"targets", {3}}},
                                 .says = {"CosineEmbedding 'Layer': input 'targets' should be (T, B, 1)",
                                          "but is (T, B, 3)"}}}},
                   {.name = "mean",
                    .inputs = {{"inputs_1", {3}}, {"inputs_2", {3}}, {"targets", {1}, kBinary}},
                    .coupled = true,
                    .mixed = true})
SQUALL_LAYER_CASES(TripletMargin,
                   {.name = "none",
                    .options = kNone,
                    .inputs = {{"anchor", {2, 3}}, {"positive", {2, 3}}, {"negative", {2, 3}}}},
                   {.name = "swap",
                    .options = {{"swap", true}, {"p", 3.0}, {"margin", 2.0}},
                    .inputs = {{"anchor", {4}}, {"positive", {4}}, {"negative", {4}}},
                    .coupled = true,
                    .mixed = true,
                    .rejects = {{.options = {{"p", 0.5}},
                                 .inputs = {{"anchor", {4}}, {"positive", {4}}, {"negative", {4}}},
                                 .says = {"option 'p' should be 1 or more, not 0.5"}}}})
SQUALL_LAYER_CASES(MultiMargin, {.name = "none", .options = kNone, .inputs = classes()},
                   {.name = "squares",
                    .options = {{"p", 2}, {"margin", 0.7}, {"weight", {1.0, 2.0, 0.5, 1.0}}},
                    .inputs = classes(),
                    .coupled = true,
                    .mixed = true,
                    .rejects = {
                        {.options = {{"p", 3}}, .inputs = classes(), .says = {"option 'p' should be 1 or 2, not 3"}}}})
SQUALL_LAYER_CASES(Nll, {.name = "none", .options = kNone, .inputs = classes()},
                   {.name = "mean",
                    .options = {{"weight", {1.0, 2.0, 0.5, 1.0}}},
                    .inputs = classes(),
                    .coupled = true,
                    .mixed = true})
SQUALL_LAYER_CASES(CrossEntropy,
                   {.name = "none",
                    .options = {{"reduction", "none"}, {"label_smoothing", 0.2}, {"weight", {1.0, 2.0, 0.5, 1.0}}},
                    .inputs = classes(),
                    .rejects = {{.inputs = {{"default", {4}}, {"targets", {4}, kLabels, 4}},
                                 .says = {"CrossEntropy 'Layer': input 'targets' should be (T, B, 1)",
                                          "but is (T, B, 4)"}},
                                {.options = {{"label_smoothing", 1.5}},
                                 .inputs = classes(),
                                 .says = {"option 'label_smoothing' should be in [0, 1], not 1.5"}}}},
                   {.name = "weighted mean",
                    .options = {{"weight", {1.0, 2.0, 0.5, 1.0}}},
                    .inputs = classes(),
                    .coupled = true,
                    .mixed = true},
                   {.name = "ignored",
                    .options = {{"reduction", "sum"}, {"ignore_index", 2}},
                    .inputs = classes(),
                    .coupled = true,
                    .mixed = true},
                   {.name = "probabilities",
                    .options = {{"targets", "probabilities"}, {"label_smoothing", 0.1}},
                    .inputs = pair(CaseInput::Values::Normal, kProbabilities),
                    .coupled = true,
                    .mixed = true})

std::vector<CaseInput> sequences(Index labels) {
  CaseInput targets{.name = "targets", .features = {labels}, .values = kLabels, .classes = 3, .leading = {"B"}};
  return {{"default", {4}}, targets};
}
std::vector<CaseInput> with_lengths() {
  auto all = sequences(2);
  for (const char* name : {"input_lengths", "target_lengths"})
    all.push_back({.name = name, .features = {1}, .values = kLabels, .classes = 2, .leading = {"B"}, .optional = true});
  return all;
}
SQUALL_LAYER_CASES(Ctc, {.name = "none", .options = {{"blank", 3}, {"reduction", "none"}}, .inputs = sequences(1)},
                   {.name = "two labels",
                    .options = {{"blank", 3}, {"zero_infinity", true}},
                    .inputs = sequences(2),
                    .coupled = true,
                    .mixed = true},
                   {.name = "lengths",
                    .options = {{"blank", 3}, {"zero_infinity", true}, {"reduction", "sum"}},
                    .inputs = with_lengths(),
                    .coupled = true,
                    .mixed = true,
                    .rejects = {{.options = {{"blank", 4}},
                                 .inputs = sequences(1),
                                 .says = {"Ctc 'Layer': option 'blank' should be in 0..3, not 4"}}}})

// The layer's output `loss` for given inputs, or what it says against them.
struct Given {
  std::string name;
  std::vector<std::string> leading;
  HostArray data;
};
std::vector<double> loss(const std::string& type, const json& options, const std::vector<Given>& inputs,
                         const std::string& output = "loss") {
  Catalog catalog;
  register_layers(catalog);
  Architecture a;
  json shapes = json::object();
  Batch batch;
  for (const auto& in : inputs) {
    json shape = in.leading;
    for (int i = static_cast<int>(in.leading.size()); i < in.data.shape().rank(); ++i)
      shape.push_back(in.data.shape()[i]);
    shapes[in.name] = shape;
    batch.fields.emplace_back(in.name, in.data);
  }
  a.input(shapes);
  a.add("Crit", type, options);
  for (const auto& in : inputs) a.connect({"Input", in.name, "Crit", in.name});
  NetworkOptions how;
  how.memory = MemoryMode::Inspectable;
  Network net(a, catalog, squall::test::make_under_test("cpu:f64"), how);
  net.provide(batch);
  net.forward(Mode::Eval);
  return net.get("Crit.outputs." + output).doubles();
}
std::string refusal(const std::string& type, const json& options, const std::vector<Given>& inputs) {
  try {
    loss(type, options, inputs);
  } catch (const DataError& e) {
    return e.what();
  }
  return "accepted";
}
Given numbers(const std::string& name, const Shape& shape, const std::vector<double>& values,
              const std::vector<std::string>& leading = {"B"}) {
  return {name, leading, HostArray::of(shape, values)};
}
Given whole(const std::string& name, const Shape& shape, const std::vector<double>& values) {
  return {name, {"B"}, HostArray::of(shape, values).cast(DType::I32)};
}

TEST_CASE("losses refuse data they are not defined for") {
  const Given logits = numbers("default", {2, 3}, {0, 1, 2, 3, 4, 5});
  const auto classes_up_to = [&](const std::string& type, double label) {
    return refusal(type, json::object(), {logits, whole("targets", {2, 1}, {0, label})});
  };
  CHECK(classes_up_to("CrossEntropy", 3) ==
        "in CrossEntropy 'Crit', forward: target 1 is 3, but should be a class number from 0 to 2, or -100 to be "
        "ignored");
  CHECK_THAT(classes_up_to("Nll", -1), Catch::Contains("in Nll 'Crit', forward: target 1 is -1, but should be"));
  CHECK_THAT(classes_up_to("MultiMargin", -100),
             Catch::Contains("a class number from 0 to 2") && !Catch::Contains("ignored"));
  const Given half = numbers("default", {1, 2}, {0.5, 1.5}), one = numbers("targets", {1, 2}, {1, 1});
  CHECK_THAT(refusal("Bce", json::object(), {half, one}),
             Catch::Contains("in Bce 'Crit', forward: element 1 is 1.5, but should be a probability from 0 to 1"));
  CHECK_THAT(refusal("GaussianNll", json::object(), {half, one, numbers("variance", {1, 2}, {1, -0.5})}),
             Catch::Contains("in GaussianNll 'Crit', forward: variance 1 is -0.5, but should be 0 or more"));
}

TEST_CASE("Ctc refuses lengths and labels that cannot be") {
  const Given x = numbers("default", {2, 1, 3}, {0, 0, 0, 0, 0, 0}, {"T", "B"});
  const auto says = [&](double label, double steps, double labels) {
    return refusal("Ctc", json::object(),
                   {x, whole("targets", {1, 1}, {label}), whole("input_lengths", {1, 1}, {steps}),
                    whole("target_lengths", {1, 1}, {labels})});
  };
  CHECK(says(1, 2, 1) == "accepted");
  CHECK(says(1, 3, 1) == "in Ctc 'Crit', forward: input length 3 of example 0 should be from 0 to 2, the steps");
  CHECK_THAT(says(1, 2, 2), Catch::Contains("target length 2 of example 0 should be from 0 to 1"));
  CHECK_THAT(says(0, 2, 1), Catch::Contains("target 0 of example 0 is 0") && Catch::Contains("other than the blank 0"));
  CHECK_THAT(says(3, 2, 1), Catch::Contains("should be a class number from 0 to 2"));
}

TEST_CASE("Ctc counts alignments and knows impossible ones") {
  const auto of = [](const std::vector<double>& labels, bool zero) {
    const auto n = static_cast<Index>(labels.size());
    const json options = {{"reduction", "none"}, {"zero_infinity", zero}};
    return loss("Ctc", options,
                {numbers("default", {2, 1, 3}, {0, 0, 0, 0, 0, 0}, {"T", "B"}), whole("targets", {1, n}, labels)})[0];
  };
  CHECK(of({1}, false) == Approx(-std::log(3.0 / 9)));     // 1_, _1, 11
  CHECK(of({1, 2}, false) == Approx(-std::log(1.0 / 9)));  // 12
  CHECK(of({1, 1}, false) == std::numeric_limits<double>::infinity());
  CHECK(of({1, 1}, true) == 0);
}

TEST_CASE("CrossEntropy ignores targets and gives the softmax") {
  const Given x = numbers("default", {2, 2}, {0, 0, 5, 1});
  const Given t = whole("targets", {2, 1}, {1, -100});
  CHECK(loss("CrossEntropy", json::object(), {x, t})[0] == Approx(std::log(2.0)));
  CHECK(loss("CrossEntropy", {{"reduction", "sum"}}, {x, t})[0] == Approx(std::log(2.0)));
  const auto p = loss("CrossEntropy", json::object(), {x, t}, "predictions");
  CHECK(p[0] == Approx(0.5));
  CHECK(p[2] == Approx(1 / (1 + std::exp(-4.0))));
}

TEST_CASE("BceWithLogits is exact far from zero") {
  const auto of = [](double x, double t) {
    return loss("BceWithLogits", json::object(), {numbers("default", {1, 1}, {x}), numbers("targets", {1, 1}, {t})})[0];
  };
  CHECK(of(800, 0) == Approx(800));
  CHECK(of(-800, 1) == Approx(800));
  CHECK(of(-40, 0) == Approx(std::exp(-40.0)));
}

}  // namespace
