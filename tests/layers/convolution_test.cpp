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

SQUALL_LAYER_CASES(
    Conv1D, {.name = "defaults", .options = {{"filters", 2}}, .inputs = {{"default", {6, 2}}}},
    {.name = "causal and dilated",
     .options = {{"filters", 3}, {"kernel_size", 2}, {"padding", "causal"}, {"dilation", 3}, {"activation", "tanh"}},
     .inputs = {{"default", {5, 2}}}},
    {.name = "stride and groups",
     .options = {{"filters", 4},
                 {"kernel_size", {3}},
                 {"stride", 2},
                 {"padding", {{2, 1}}},
                 {"groups", 2},
                 {"use_bias", false},
                 {"activation", "sigmoid"}},
     .inputs = {{.name = "default", .features = {7, 4}, .leading = {"B"}}},
     .rejects = {
         {.options = {{"filters", 1}},
          .inputs = {{"default", {4, 4, 1}}},
          .says = {"Conv1D 'Layer'", "should have the features (length, channels)"}},
         {.options = {{"filters", 1}, {"kernel_size", {2, 2}}}, .says = {"'kernel_size' should be", "list of one"}},
         {.options = {{"filters", 3}, {"groups", 2}},
          .inputs = {{.name = "default", .features = {7, 4}, .leading = {"B"}}},
          .says = {"option 'groups' is 2", "4 channels", "3 filters"}}}})

SQUALL_LAYER_CASES(
    Conv2D, {.name = "defaults", .options = {{"filters", 2}}, .inputs = {{"default", {3, 4, 2}}}},
    {.name = "reflected",
     .options = {{"filters", 2}, {"padding", {2, 1}}, {"padding_mode", "reflect"}, {"activation", "tanh"}},
     .inputs = {{"default", {4, 3, 2}}}},
    {.name = "replicated unevenly",
     .options = {{"filters", 1}, {"kernel_size", 2}, {"padding", {{1, 0}, {0, 3}}}, {"padding_mode", "replicate"}},
     .inputs = {{"default", {2, 3, 1}}}},
    {.name = "circular with strides",
     .options = {{"filters", 2}, {"strides", {2, 1}}, {"padding", 1}, {"padding_mode", "circular"}, {"dilation", 2}},
     .inputs = {{"default", {4, 5, 1}}}},
    {.name = "depthwise",
     .options = {{"filters", 6}, {"groups", 3}, {"activation", "sigmoid"}},
     .inputs = {{"default", {3, 3, 3}}}},
    {.name = "groups",
     .options = {{"filters", 4}, {"groups", 2}, {"kernel_size", {1, 2}}, {"padding", "valid"}, {"dilation", {1, 2}}},
     .inputs = {{.name = "default", .features = {2, 4, 4}, .leading = {}}},
     .rejects = {
         {.options = {{"filters", 1}, {"padding", 3}, {"padding_mode", "reflect"}},
          .inputs = {{"default", {4, 3, 1}}},
          .says = {"padding_mode cannot give more than 2 pixels", "axis of 3"}},
         {.options = {{"filters", 1}, {"strides", 2}, {"stride", 2}}, .says = {"'stride' and 'strides' mean the same"}},
         {.options = {{"filters", 1}, {"kernel_size", 3}, {"dilation", 2}, {"padding", "valid"}},
          .inputs = {{"default", {4, 5, 1}}},
          .says = {"4 x 5 pixels, which is less than the window of 5 x 5"}},
         {.options = {{"filters", 1}, {"padding_mode", "mirror"}}, .says = {"'padding_mode' should be one of"}}}})

SQUALL_LAYER_CASES(Conv3D, {.name = "defaults", .options = {{"filters", 2}}, .inputs = {{"default", {2, 3, 2, 1}}}},
                   {.name = "everything",
                    .options = {{"filters", 4},
                                {"kernel_size", {2, 1, 3}},
                                {"strides", {2, 1, 1}},
                                {"padding", {1, 0, 1}},
                                {"groups", 2},
                                {"activation", "tanh"}},
                    .inputs = {{"default", {3, 2, 4, 2}}}})

SQUALL_LAYER_CASES(MaskedConv3D, {.name = "same", .options = {{"filters", 2}}, .inputs = {{"default", {2, 3, 2, 2}}}},
                   {.name = "valid strides without bias",
                    .options = {{"filters", 2},
                                {"kernel_size", {2, 2, 1}},
                                {"strides", {1, 2, 1}},
                                {"padding", "valid"},
                                {"use_bias", false},
                                {"activation", "tanh"}},
                    .inputs = {{"default", {3, 4, 2, 1}}},
                    .rejects = {{.options = {{"filters", 1}},
                                 .inputs = {{"default", {3, 4, 2}}},
                                 .says = {"MaskedConv3D 'Layer'", "features (depth, height, width, channels)"}}}})

SQUALL_LAYER_CASES(MultiMaskedConv3D,
                   {.name = "two sizes",
                    .options = {{"tasks", {"a", "b"}}, {"filters", 2}, {"kernel_size", 2}, {"activation", "tanh"}},
                    .inputs = {{"a", {2, 3, 2, 1}}, {.name = "b", .features = {3, 1, 2, 1}, .leading = {"T", "B_b"}}}})

SQUALL_LAYER_CASES(MultiConv2D,
                   {.name = "two sizes",
                    .options = {{"tasks", {"a", "b"}}, {"filters", 2}, {"kernel_size", 2}, {"activation", "tanh"}},
                    .inputs = {{"a", {3, 3, 2}}, {.name = "b", .features = {2, 4, 2}, .leading = {"T", "B_b"}}}},
                   {.name = "reflected",
                    .options = {{"tasks", {"a", "b"}}, {"filters", 1}, {"padding_mode", "reflect"}},
                    .inputs = {{"a", {3, 3, 1}}, {"b", {2, 4, 1}}},
                    .rejects = {{.options = {{"tasks", {"a", "b"}}, {"filters", 1}, {"sparsify", true}},
                                 .says = {"unknown option 'sparsify'"}}}})

SQUALL_LAYER_CASES(MultiConv3D,
                   {.name = "valid",
                    .options = {{"tasks", {"a", "b"}}, {"filters", 2}, {"kernel_size", 2}, {"padding", "valid"}},
                    .inputs = {{"a", {2, 3, 2, 1}}, {"b", {3, 2, 2, 1}}}})

const std::vector<double> kSparse9{0.5, 0, -1, 0, 0, 2, 0, 0, -0.5};
const std::vector<double> kSparse8{0.5, 0, -1, 0, 0, 2, 0, 1.5};

SQUALL_LAYER_CASES(SparseConv2D, {.name = "given weights",
                                  .options = {{"filters", 1}, {"activation", "tanh"}},
                                  .inputs = {{"default", {3, 4, 1}}},
                                  .fixed = {{"W", kSparse9}, {"bias", {0.25}}}})

SQUALL_LAYER_CASES(SparseConv3D, {.name = "given weights",
                                  .options = {{"filters", 1}, {"kernel_size", 2}, {"use_bias", false}},
                                  .inputs = {{"default", {3, 2, 2, 1}}},
                                  .fixed = {{"W", kSparse8}}})

SQUALL_LAYER_CASES(SparseMultiConv2D, {.name = "given weights",
                                       .options = {{"tasks", {"a", "b"}}, {"filters", 1}, {"kernel_size", 2}},
                                       .inputs = {{"a", {3, 4, 1}}, {"b", {2, 2, 1}}},
                                       .fixed = {{"W", kSparse8}, {"bias", {0.25, -1}}}})

SQUALL_LAYER_CASES(SparseMultiConv3D,
                   {.name = "given weights",
                    .options = {{"tasks", {"a", "b"}}, {"filters", 1}, {"kernel_size", {1, 2, 2}}, {"use_bias", false}},
                    .inputs = {{"a", {2, 3, 4, 1}}, {"b", {1, 2, 2, 1}}},
                    .fixed = {{"W", kSparse8}}})

SQUALL_LAYER_CASES(
    ConvTranspose1D,
    {.name = "stride and output padding",
     .options = {{"filters", 2}, {"kernel_size", 3}, {"stride", 2}, {"padding", 1}, {"output_padding", 1}},
     .inputs = {{"default", {4, 3}}}},
    {.name = "dilated",
     .options = {{"filters", 1}, {"kernel_size", 2}, {"dilation", 3}, {"output_padding", 2}, {"padding", {{0, 2}}}},
     .inputs = {{.name = "default", .features = {3, 2}, .leading = {"B"}}},
     .rejects = {{.options = {{"filters", 1}, {"kernel_size", 2}, {"output_padding", 1}},
                  .inputs = {{.name = "default", .features = {3, 2}, .leading = {"B"}}},
                  .says = {"ConvTranspose1D 'Layer'", "option 'output_padding' is 1"}},
                 {.options = {{"filters", 1}}, .says = {"option 'kernel_size' is missing"}},
                 {.options = {{"filters", 1}, {"kernel_size", 2}, {"padding", "same"}},
                  .inputs = {{.name = "default", .features = {3, 2}, .leading = {"B"}}},
                  .says = {"option 'padding' should be numbers"}},
                 {.options = {{"filters", 1}, {"kernel_size", 2}, {"padding", 2}},
                  .inputs = {{.name = "default", .features = {3, 2}, .leading = {"B"}}},
                  .says = {"nothing is left along an axis of 3"}}}})

SQUALL_LAYER_CASES(ConvTranspose2D,
                   {.name = "plain",
                    .options = {{"filters", 2}, {"kernel_size", 3}},
                    .inputs = {{"default", {2, 3, 2}}}},
                   {.name = "groups",
                    .options = {{"filters", 2},
                                {"kernel_size", {3, 2}},
                                {"stride", {2, 1}},
                                {"padding", {1, 0}},
                                {"output_padding", {1, 0}},
                                {"groups", 2},
                                {"use_bias", false},
                                {"activation", "tanh"}},
                    .inputs = {{"default", {2, 3, 4}}}},
                   {.name = "one to one",
                    .options = {{"filters", 3}, {"kernel_size", 1}, {"activation", "softmax"}},
                    .inputs = {{"default", {2, 2, 2}}}})

SQUALL_LAYER_CASES(ConvTranspose3D,
                   {.name = "stride",
                    .options = {{"filters", 2}, {"kernel_size", 2}, {"stride", 2}, {"activation", "sigmoid"}},
                    .inputs = {{"default", {2, 1, 2, 2}}},
                    .tolerance_f32 = 2e-4})

SQUALL_LAYER_CASES(Deconv2D, {.name = "more padding than the kernel less one",
                              .options = {{"filters", 2}, {"kernel_size", 2}, {"stride", 3}, {"padding", 2}},
                              .inputs = {{"default", {3, 2, 2}}}})

}  // namespace
