// Criteria, penalties and losses.
#include "layers/cases.hpp"

namespace {

using squall::testing::CaseInput;
using squall::testing::LayerCase;
constexpr auto kBinary = CaseInput::Values::Binary;
constexpr auto kLabels = CaseInput::Values::Labels;
constexpr auto kProbabilities = CaseInput::Values::Probabilities;

SQUALL_LAYER_CASES(
    SoftmaxCE, {.name = "vector", .inputs = {{"default", {4}}, {"targets", {1}, kLabels, 4}}},
    {.name = "pixels",
     .inputs = {{"default", {2, 3, 5}}, {"targets", {2, 3, 1}, kLabels, 5}},
     .rejects = {{.inputs = {{"default", {4}}, {"targets", {4}, kLabels, 4}},
                  .says = {"SoftmaxCE 'Layer'", "input 'targets' should be (T, B, 1)", "but is (T, B, 4)"}},
                 {.inputs = {{"default", {2, 4}}, {"targets", {1}, kLabels, 4}},
                  .says = {"input 'targets' should be (T, B, 2, 1)", "but is (T, B, 1)"}}}},
    {.name = "without time",
     .inputs = {{.name = "default", .features = {3}, .leading = {"B"}},
                {.name = "targets", .features = {1}, .values = kLabels, .classes = 3, .leading = {"B"}}}})

SQUALL_LAYER_CASES(SigmoidCE,
                   {.name = "matrix",
                    .inputs = {{"default", {2, 3}}, {"targets", {2, 3}, kBinary}},
                    .rejects = {{.inputs = {{"default", {4}}, {"targets", {1}}},
                                 .says = {"inputs 'default' and 'targets' should have the same shape, but are "
                                          "(T, B, 4) and (T, B, 1)"}}}})

SQUALL_LAYER_CASES(SquaredError,
                   {.name = "matrix",
                    .inputs = {{"default", {2, 3}}, {"targets", {2, 3}}},
                    .rejects = {{.inputs = {{"default", {4}}, {"targets", {1}}}, .says = {"(T, B, 4) and (T, B, 1)"}}}})

SQUALL_LAYER_CASES(SquaredDifference, {.name = "matrix",
                                       .inputs = {{"inputs_1", {2, 3}}, {"inputs_2", {2, 3}}},
                                       .rejects = {{.inputs = {{"inputs_1", {4}}, {"inputs_2", {1}}},
                                                    .says = {"(T, B, 4) and (T, B, 1)"}}}})

SQUALL_LAYER_CASES(BinomialCrossEntropy,
                   {.name = "vector", .inputs = {{"default", {5}, kProbabilities}, {"targets", {5}, kBinary}}},
                   {.name = "matrix",
                    .inputs = {{"default", {2, 3}, kProbabilities}, {"targets", {2, 3}, kBinary}},
                    .rejects = {{.inputs = {{"default", {4}}, {"targets", {1}}}, .says = {"(T, B, 4) and (T, B, 1)"}}}})

SQUALL_LAYER_CASES(
    Loss, {.name = "plain", .inputs = {{"default", {2, 3}}}, .coupled = true},
    {.name = "weighted", .options = {{"importance", 0.3}}, .inputs = {{"default", {1}}}, .coupled = true},
    {.name = "constant",
     .options = {{"importance", -2.0}},
     .inputs = {{.name = "default", .features = {3}, .leading = {}}},
     .coupled = true})

SQUALL_LAYER_CASES(L1Decay, {.name = "matrix", .inputs = {{"default", {2, 3}}}},
                   {.name = "constant", .inputs = {{.name = "default", .features = {2, 3}, .leading = {}}}})

SQUALL_LAYER_CASES(L2Decay, {.name = "matrix", .inputs = {{"default", {2, 3}}}},
                   {.name = "constant", .inputs = {{.name = "default", .features = {2, 3}, .leading = {}}}})

}  // namespace
