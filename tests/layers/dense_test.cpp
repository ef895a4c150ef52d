// Fully connected layers.
#include "layers/cases.hpp"

namespace {

using squall::testing::CaseInput;
using squall::testing::LayerCase;

SQUALL_LAYER_CASES(
    FullyConnected, {.name = "rel", .options = {{"size", 4}}, .inputs = {{"default", {5}}}},
    {.name = "tanh of matrices",
     .options = {{"size", {3, 3, 1}}, {"activation", "tanh"}},
     .inputs = {{"default", {2, 3}}}},
    {.name = "size of the input", .options = {{"activation", "sigmoid"}}, .inputs = {{"default", {2, 3}}}},
    {.name = "el", .options = {{"size", 3}, {"activation", "el"}}, .inputs = {{"default", {4}}}},
    {.name = "linear", .options = {{"size", 3}, {"activation", "linear"}}, .inputs = {{"default", {4}}}},
    {.name = "softmax", .options = {{"size", 3}, {"activation", "softmax"}}, .inputs = {{"default", {4}}}},
    {.name = "without time",
     .options = {{"size", 2}, {"activation", "tanh"}},
     .inputs = {{.name = "default", .features = {2, 2}, .leading = {"B"}}}},
    {.name = "one row",
     .options = {{"size", 2}, {"activation", "tanh"}},
     .inputs = {{.name = "default", .features = {2, 2}, .leading = {}}},
     .rejects = {
         {.options = {{"size", 0}},
          .says = {"option 'size' should be a positive whole number or a list of them, not 0"}},
         {.options = {{"size", 2.5}}, .says = {"option 'size'", "2.5"}},
         {.options = {{"size", {3, -1}}}, .says = {"option 'size'", "[3,-1]"}},
         {.options = {{"sise", 3}}, .says = {"unknown option 'sise'", "did you mean 'size'", "activation, size"}},
         {.options = {{"size", {2, 2}}, {"activation", "softmax"}}, .says = {"softmax needs a size of one axis"}}}})

SQUALL_LAYER_CASES(
    MaskedDense, {.name = "linear", .options = {{"units", 3}}, .inputs = {{"default", {4}}}},
    {.name = "tanh", .options = {{"units", 3}, {"activation", "tanh"}}, .inputs = {{"default", {2, 2}}}},
    {.name = "softmax", .options = {{"units", 3}, {"activation", "softmax"}}, .inputs = {{"default", {4}}}},
    {.name = "last axis",
     .options = {{"units", 3}, {"activation", "tanh"}, {"last_axis", true}},
     .inputs = {{"default", {2, 5, 4}}}},
    {.name = "no bias",
     .options = {{"units", 3}, {"use_bias", false}, {"activation", "relu"}, {"sparsify", false}},
     .inputs = {{"default", {4}}},
     .rejects = {{.options = {{"use_bias", true}}, .says = {"option 'units' should be a positive whole number, not 0"}},
                 {.options = {{"units", 3}, {"use_bias", 1}}, .says = {"option 'use_bias' should be true or false"}}}})

SQUALL_LAYER_CASES(
    MultiMaskedDense,
    {.name = "two tasks",
     .options = {{"tasks", {"digits", "fashion"}}, {"units", 3}, {"activation", "tanh"}},
     .inputs = {{"digits", {4}}, {"fashion", {2, 2}}}},
    {.name = "three batches without bias",
     .options = {{"tasks", {"a", "b", "c"}}, {"units", 2}, {"use_bias", false}, {"activation", "sigmoid"}},
     .inputs = {{"a", {3}},
                {.name = "b", .features = {3}, .leading = {"T", "B_b"}},
                {.name = "c", .features = {3}, .leading = {"B_c"}}},
     .rejects = {{.options = {{"tasks", {"a", "b", "c"}}, {"units", 2}},
                  .inputs = {{"a", {3}}, {"b", {4}}, {"c", {3}}},
                  .says = {"MultiMaskedDense 'Layer'", "equal numbers of features", "input 'a' is (T, B, 3)",
                           "'b' is (T, B, 4)"}},
                 {.options = {{"tasks", {"a", "b", "c"}}}, .says = {"option 'units'"}},
                 {.options = {{"tasks", "a"}, {"units", 2}}, .says = {"option 'tasks' should be a list, not \"a\""}},
                 {.options = {{"tasks", {"a", "b", "a.b"}}, {"units", 2}}, .says = {"task 'a.b' is not a name"}},
                 {.options = {{"tasks", {"a", "b"}}, {"units", 2}}, .says = {"has no input 'c'"}}}},
    {.name = "last axis",
     .options = {{"tasks", {"short", "long"}}, {"units", 3}, {"last_axis", true}},
     .inputs = {{"short", {4}}, {"long", {6, 4}}},
     .rejects = {{.options = {{"tasks", {"short", "long"}}, {"units", 3}}, .says = {"equal numbers of features"}}}},
    {.name = "one task",
     .options = {{"tasks", {"only"}}, {"units", 2}, {"activation", "softmax"}},
     .inputs = {{"only", {3}}}})

SQUALL_LAYER_CASES(Dense, {.name = "linear", .options = {{"units", 3}}, .inputs = {{"default", {4}}}},
                   {.name = "tanh without bias",
                    .options = {{"units", 2}, {"use_bias", false}, {"activation", "tanh"}},
                    .inputs = {{"default", {2, 2}}},
                    .rejects = {
                        {.options = {{"units", 2}, {"sparsify", false}}, .says = {"unknown option 'sparsify'"}}}})

SQUALL_LAYER_CASES(MultiDense, {.name = "two batches",
                                .options = {{"tasks", {"a", "b"}}, {"units", 3}, {"activation", "tanh"}},
                                .inputs = {{"a", {4}}, {.name = "b", .features = {2, 2}, .leading = {"T", "B_b"}}}})

SQUALL_LAYER_CASES(SparseDense,
                   {.name = "given weights",
                    .options = {{"units", 2}, {"activation", "sigmoid"}},
                    .inputs = {{"default", {3}}},
                    .fixed = {{"W", {0, 0.5, 0, -1, 0, 2}}, {"bias", {0, 0.5}}}},
                   {.name = "without bias",
                    .options = {{"units", 2}, {"use_bias", false}},
                    .inputs = {{"default", {3}}},
                    .fixed = {{"W", {0, 0.5, 0, -1, 0, 2}}}})

SQUALL_LAYER_CASES(SparseMultiDense,
                   {.name = "given weights",
                    .options = {{"tasks", {"a", "b"}}, {"units", 2}, {"activation", "tanh"}},
                    .inputs = {{"a", {3}}, {.name = "b", .features = {3}, .leading = {"B_b"}}},
                    .fixed = {{"W", {0, 0.5, 0, -1, 0, 2, 1, 1, 0, 0, 0, 0.25}}, {"bias", {0, 0.5, 1, 0}}}})

}  // namespace
