// Layers that treat elements alike or move them around.
#include "layers/cases.hpp"

namespace {

using squall::testing::CaseInput;
using squall::testing::LayerCase;
constexpr auto kBinary = CaseInput::Values::Binary;
constexpr auto kProbabilities = CaseInput::Values::Probabilities;

SQUALL_LAYER_CASES(NoOp, {.name = "vector", .inputs = {{"default", {4}}}},
                   {.name = "image", .inputs = {{"default", {2, 3, 2}}}},
                   {.name = "without time", .inputs = {{.name = "default", .features = {3}, .leading = {"B"}}}})

SQUALL_LAYER_CASES(Flatten, {.name = "image", .inputs = {{"default", {2, 3, 2}}}},
                   {.name = "last axis stays", .options = {{"keep_last", true}}, .inputs = {{"default", {2, 3, 2}}}},
                   {.name = "vector", .inputs = {{"default", {5}}}})

SQUALL_LAYER_CASES(Elementwise, {.name = "rel", .inputs = {{"default", {3, 2}}}},
                   {.name = "tanh", .options = {{"activation", "tanh"}}, .inputs = {{"default", {4}}}},
                   {.name = "sigmoid", .options = {{"activation", "sigmoid"}}, .inputs = {{"default", {4}}}},
                   {.name = "el", .options = {{"activation", "el"}}, .inputs = {{"default", {4}}}},
                   {.name = "linear", .options = {{"activation", "linear"}}, .inputs = {{"default", {4}}}},
                   {.name = "softmax",
                    .options = {{"activation", "softmax"}},
                    .inputs = {{"default", {2, 4}}},
                    .rejects = {{.options = {{"activation", "tanhh"}},
                                 .says = {"option 'activation' should be one of", "tanh"}}}})

SQUALL_LAYER_CASES(Dropout, {.name = "half", .inputs = {{"default", {3, 2}}}, .coupled = true},
                   {.name = "a few",
                    .options = {{"drop_prob", 0.2}},
                    .inputs = {{"default", {5}}},
                    .coupled = true,
                    .rejects = {{.options = {{"drop_prob", 1.0}},
                                 .says = {"Dropout 'Layer'", "'drop_prob' should be in [0, 1), not 1"}},
                                {.options = {{"drop_prob", -0.5}},
                                 .says = {"'drop_prob' should be in [0, 1), not -0.5"}}}},
                   {.name = "none", .options = {{"drop_prob", 0.0}}, .inputs = {{"default", {2}}}})

SQUALL_LAYER_CASES(Highway,
                   {.name = "gated",
                    .inputs = {{"H", {2, 3}}, {"T", {2, 3}, kProbabilities}, {"x", {2, 3}}},
                    .rejects = {
                        {.inputs = {{"H", {2, 3}}, {"T", {3, 2}}, {"x", {2, 3}}},
                         .says = {"'H' and 'T' should have the same shape, but are (T, B, 2, 3) and (T, B, 3, 2)"}},
                        {.inputs = {{"H", {2}}, {"T", {2}}, {"x", {3}}},
                         .says = {"'H' and 'x' should have the same shape, but are (T, B, 2) and (T, B, 3)"}}}})

SQUALL_LAYER_CASES(
    Mask, {.name = "one per example", .inputs = {{"default", {3, 2}}, {"mask", {1}, kBinary}}},
    {.name = "one per pixel", .inputs = {{"default", {3, 2, 4}}, {"mask", {3, 2, 1}, kBinary}}},
    {.name = "one per element", .inputs = {{"default", {3, 2}}, {"mask", {3, 2}, kBinary}}},
    {.name = "soft", .inputs = {{"default", {1}}, {"mask", {1}}}},
    {.name = "without time",
     .inputs = {{.name = "default", .features = {3, 2}, .leading = {"B"}},
                {.name = "mask", .features = {1}, .leading = {"B"}}},
     .rejects = {{.inputs = {{"default", {3, 2}}, {"mask", {2}}},
                  .says = {"input 'mask' is (T, B, 2), but for 'default' (T, B, 3, 2) its features should be (1), "
                           "(3, 1) or (3, 2)"}}}})

SQUALL_LAYER_CASES(Merge, {.name = "matrices", .inputs = {{"inputs_1", {3, 2}}, {"inputs_2", {3, 4}}}},
                   {.name = "vectors",
                    .inputs = {{"inputs_1", {2}}, {"inputs_2", {2}}},
                    .rejects = {{.inputs = {{"inputs_1", {3, 2}}, {"inputs_2", {2, 2}}},
                                 .says = {"may differ in their last axis only, but are (T, B, 3, 2) and (T, B, 2, 2)"}},
                                {.inputs = {{"inputs_1", {2}}, {.name = "inputs_2", .features = {2}, .leading = {"B"}}},
                                 .says = {"may differ in their last axis only, but are (T, B, 2) and (B, 2)"}}}},
                   {.name = "without time and batch",
                    .inputs = {{.name = "inputs_1", .features = {2, 2}, .leading = {}},
                               {.name = "inputs_2", .features = {2, 1}, .leading = {}}}})

SQUALL_LAYER_CASES(DeltasScaling, {.name = "reversed",
                                   .options = {{"factor", -2.0}},
                                   .inputs = {{"default", {3}}},
                                   .derivative = false,
                                   .rejects = {{.options = nlohmann::ordered_json::object(),
                                                .says = {"DeltasScaling 'Layer'", "option 'factor' is missing"}}}})

SQUALL_LAYER_CASES(
    SelectorLayer,
    {.name = "by name",
     .options = {{"tasks", {"one", "two"}}, {"task", "two"}},
     .inputs = {{"one", {3}}, {"two", {2, 2}}}},
    {.name = "by place",
     .options = {{"tasks", {"one", "two"}}, {"sel_index", 0}},
     .inputs = {{"one", {3}}, {"two", {3}}}},
    {.name = "from the end",
     .options = {{"tasks", {"one", "two"}}, {"sel_index", -1}},
     .inputs = {{"one", {3}}, {.name = "two", .features = {3}, .leading = {"T", "B_two"}}},
     .rejects = {
         {.options = {{"tasks", {"one", "two"}}, {"sel_index", 2}},
          .says = {"option 'sel_index' is 2, but there are 2 tasks: -2 to 1"}},
         {.options = {{"tasks", {"one", "two"}}, {"task", "tow"}}, .says = {"option 'task' is 'tow'", "one, two"}},
         {.options = {{"tasks", {"one", "two"}}}, .says = {"'sel_index' and 'task'"}},
         {.options = {{"sel_index", 0}}, .says = {"option 'tasks' should list the names of its tasks"}},
         {.options = {{"tasks", {"one", "one"}}, {"sel_index", 0}}, .says = {"task 'one' is listed twice"}}}})

SQUALL_LAYER_CASES(SumLayer, {.name = "three",
                              .options = {{"tasks", {"a", "b", "c"}}},
                              .inputs = {{"a", {2, 3}}, {"b", {2, 3}}, {"c", {2, 3}}},
                              .rejects = {{.options = {{"tasks", {"a", "b", "c"}}},
                                           .inputs = {{"a", {2, 3}}, {"b", {3, 2}}, {"c", {2, 3}}},
                                           .says = {"SumLayer 'Layer'", "'a' and 'b' should have the same shape"}}}})

SQUALL_LAYER_CASES(FilterLayer, {.name = "on", .inputs = {{"default", {2, 3}}}},
                   {.name = "off",
                    .options = {{"is_on", false}},
                    .inputs = {{"default", {3}}},
                    .rejects = {{.options = {{"is_on", 1}}, .says = {"option 'is_on' should be true or false"}}}})

SQUALL_LAYER_CASES(
    MultitaskNormalization,
    {.name = "shares",
     .options = {{"tasks", {"a", "b"}}},
     .inputs = {{"a", {3}, kProbabilities}, {"b", {3}, kProbabilities}}},
    {.name = "three with epsilon",
     .options = {{"tasks", {"a", "b", "c"}}, {"epsilon", 0.5}},
     .inputs = {{"a", {2, 2}, kProbabilities}, {"b", {2, 2}, kProbabilities}, {"c", {2, 2}, kProbabilities}},
     .rejects = {{.options = {{"tasks", {"a", "b", "c"}}},
                  .inputs = {{"a", {2}}, {"b", {3}}, {"c", {2}}},
                  .says = {"'a' and 'b' should have the same shape"}}}})

}  // namespace
