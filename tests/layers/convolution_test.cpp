// Convolutions: brainstorm's configurations, and strides and paddings beyond them.
#include "layers/cases.hpp"

namespace {

using squall::testing::CaseInput;
using squall::testing::LayerCase;

SQUALL_LAYER_CASES(
    Convolution2D,
    {.name = "one filter",
     .options = {{"num_filters", 1}, {"kernel_size", {2, 2}}},
     .inputs = {{"default", {4, 4, 1}}}},
    {.name = "two channels",
     .options = {{"num_filters", 1}, {"kernel_size", {2, 2}}, {"activation", "sigmoid"}},
     .inputs = {{"default", {3, 4, 2}}}},
    {.name = "two filters",
     .options = {{"num_filters", 2}, {"kernel_size", {2, 2}}, {"activation", "linear"}},
     .inputs = {{"default", {3, 4, 2}}}},
    {.name = "oblong", .options = {{"num_filters", 2}, {"kernel_size", {2, 3}}}, .inputs = {{"default", {3, 4, 1}}}},
    {.name = "padded strides",
     .options = {{"num_filters", 3}, {"kernel_size", {3, 2}}, {"stride", {2, 3}}, {"padding", 2}, {"activation", "el"}},
     .inputs = {{"default", {5, 4, 2}}}},
    {.name = "rel on one pixel",
     .options = {{"num_filters", 4}, {"kernel_size", 1}, {"activation", "rel"}},
     .inputs = {{"default", {3, 3, 3}}}},
    {.name = "uneven padding",
     .options = {{"num_filters", 2}, {"kernel_size", {2, 3}}, {"padding", {{0, 1}, {2, 1}}}},
     .inputs = {{"default", {3, 4, 2}}}},
    {.name = "without time",
     .options = {{"num_filters", 2}, {"kernel_size", {2, 2}}, {"padding", {1, 0}}},
     .inputs = {{.name = "default", .features = {3, 3, 2}, .leading = {"B"}}},
     .rejects = {
         {.options = {{"num_filters", 1}, {"kernel_size", {2, 2}}},
          .inputs = {{"default", {4, 4}}},
          .says = {"Convolution2D 'Layer'",
                   "input 'default' should have the features (height, width, channels), but is (T, B, 4, 4)"}},
         {.options = {{"num_filters", 1}, {"kernel_size", {5, 2}}},
          .inputs = {{"default", {3, 3, 1}}},
          .says = {"input 'default' is (T, B, 3, 3, 1)", "3 x 3 pixels, which is less than the window of 5 x 2"}},
         {.options = {{"kernel_size", {2, 2}}}, .says = {"option 'num_filters' should be a positive whole number"}},
         {.options = {{"num_filters", 1}}, .says = {"option 'kernel_size' is missing"}},
         {.options = {{"num_filters", 1}, {"kernel_size", {2, 2, 2}}},
          .says = {"'kernel_size' should be", "list of two"}},
         {.options = {{"num_filters", 1}, {"kernel_size", {2, 2}}, {"stride", {0, 1}}}, .says = {"'stride' should be"}},
         {.options = {{"num_filters", 1}, {"kernel_size", {2, 2}}, {"padding", -1}}, .says = {"'padding' should be"}},
         {.options = {{"num_filters", 1}, {"kernel_size", {2, 2}}, {"padding", "half"}},
          .says = {"'padding' should be"}}}})

SQUALL_LAYER_CASES(
    MaskedConv2D, {.name = "defaults", .options = {{"filters", 2}}, .inputs = {{"default", {4, 3, 2}}}},
    {.name = "same with strides",
     .options = {{"filters", 2}, {"kernel_size", {2, 3}}, {"strides", {2, 2}}, {"activation", "tanh"}},
     .inputs = {{"default", {5, 4, 2}}}},
    {.name = "same with wide strides",
     .options = {{"filters", 1}, {"kernel_size", 2}, {"strides", 3}, {"padding", "SAME"}, {"activation", "sigmoid"}},
     .inputs = {{"default", {7, 5, 1}}}},
    {.name = "valid without bias",
     .options = {{"filters", 3}, {"kernel_size", 2}, {"padding", "Valid"}, {"use_bias", false}, {"activation", "relu"}},
     .inputs = {{"default", {3, 4, 2}}}},
    {.name = "padding in pixels",
     .options = {{"filters", 2}, {"padding", {1, 2}}, {"activation", "tanh"}, {"sparsify", false}},
     .inputs = {{"default", {2, 3, 1}}}},
    {.name = "softmax over filters",
     .options = {{"filters", 3}, {"kernel_size", 2}, {"activation", "softmax"}},
     .inputs = {{"default", {3, 3, 1}}},
     .rejects = {{.options = {{"filters", 1}, {"padding", "valid"}},
                  .inputs = {{"default", {2, 3, 1}}},
                  .says = {"MaskedConv2D 'Layer'", "less than the window of 3 x 3"}},
                 {.options = {{"padding", "valid"}}, .says = {"option 'filters'"}}}})

SQUALL_LAYER_CASES(MultiMaskedConv2D,
                   {.name = "two sizes of images",
                    .options = {{"tasks", {"a", "b"}}, {"filters", 2}, {"kernel_size", 2}, {"activation", "tanh"}},
                    .inputs = {{"a", {3, 3, 2}}, {.name = "b", .features = {2, 4, 2}, .leading = {"T", "B_b"}}}},
                   {.name = "valid without bias",
                    .options = {{"tasks", {"a", "b", "c"}},
                                {"filters", 1},
                                {"padding", "valid"},
                                {"strides", 2},
                                {"use_bias", false},
                                {"activation", "sigmoid"}},
                    .inputs = {{"a", {3, 5, 1}}, {"b", {3, 5, 1}}, {"c", {4, 3, 1}}},
                    .rejects = {{.options = {{"tasks", {"a", "b", "c"}}, {"filters", 1}},
                                 .inputs = {{"a", {3, 5, 1}}, {"b", {3, 5, 2}}, {"c", {3, 5, 1}}},
                                 .says = {"MultiMaskedConv2D 'Layer'", "equal numbers of channels",
                                          "input 'a' is (T, B, 3, 5, 1)", "'b' is (T, B, 3, 5, 2)"}}}})

}  // namespace
