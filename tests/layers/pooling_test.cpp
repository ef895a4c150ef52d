// Pooling: brainstorm's configurations, strides and paddings, and BeyondML's.
#include "layers/cases.hpp"

namespace {

using squall::testing::CaseInput;
using squall::testing::LayerCase;

SQUALL_LAYER_CASES(
    Pooling2D,
    {.name = "max", .options = {{"kernel_size", {2, 2}}, {"type", "max"}}, .inputs = {{"default", {4, 4, 1}}}},
    {.name = "avg", .options = {{"kernel_size", {2, 2}}, {"type", "avg"}}, .inputs = {{"default", {4, 4, 1}}}},
    {.name = "padded max",
     .options = {{"kernel_size", {3, 2}}, {"type", "max"}, {"stride", {2, 1}}, {"padding", 1}},
     .inputs = {{"default", {5, 4, 2}}}},
    {.name = "padded avg",
     .options = {{"kernel_size", {2, 3}}, {"type", "avg"}, {"stride", {2, 3}}, {"padding", 1}},
     .inputs = {{"default", {4, 5, 2}}}},
    {.name = "windows in the padding alone",
     .options = {{"kernel_size", {2, 2}}, {"type", "max"}, {"stride", {2, 2}}, {"padding", 2}},
     .inputs = {{"default", {2, 2, 1}}}},
    {.name = "brainstorm's spare option",
     .options = {{"kernel_size", {2, 2}}, {"type", "avg"}, {"activation_function", "rel"}},
     .inputs = {{.name = "default", .features = {3, 3, 1}, .leading = {"B"}}},
     .rejects = {{.options = {{"kernel_size", {2, 2}}, {"type", "sum"}}, .says = {"'type' should be one of max, avg"}},
                 {.options = {{"type", "max"}}, .says = {"option 'kernel_size' is missing"}},
                 {.options = {{"kernel_size", {2, 2}}, {"type", "max"}},
                  .inputs = {{"default", {1, 4, 1}}},
                  .says = {"Pooling2D 'Layer'", "1 x 4 pixels", "less than the window of 2 x 2"}}}})

SQUALL_LAYER_CASES(
    MultiMaxPool2D,
    {.name = "defaults",
     .options = {{"tasks", {"a", "b"}}},
     .inputs = {{"a", {3, 4, 2}}, {.name = "b", .features = {2, 2, 1}, .leading = {"T", "B_b"}}}},
    {.name = "valid with strides",
     .options = {{"tasks", {"a", "b"}}, {"pool_size", {3, 2}}, {"strides", {2, 1}}, {"padding", "valid"}},
     .inputs = {{"a", {5, 3, 1}}, {"b", {4, 3, 2}}},
     .rejects = {
         {.options = {{"tasks", {"a", "b"}}, {"pool_size", 3}, {"padding", "valid"}},
          .inputs = {{"a", {5, 3, 1}}, {"b", {4, 2, 2}}},
          .says = {"MultiMaxPool2D 'Layer'", "input 'b' is (T, B, 4, 2, 2)", "less than the window of 3 x 3"}}}})

SQUALL_LAYER_CASES(MultiMaxPool3D,
                   {.name = "defaults",
                    .options = {{"tasks", {"a", "b"}}},
                    .inputs = {{"a", {2, 3, 2, 1}}, {.name = "b", .features = {1, 2, 3, 2}, .leading = {"T", "B_b"}}}},
                   {.name = "valid and dilated",
                    .options = {{"tasks", {"a"}},
                                {"pool_size", 2},
                                {"strides", {1, 2, 1}},
                                {"padding", "valid"},
                                {"dilation", {1, 1, 2}}},
                    .inputs = {{"a", {2, 3, 4, 1}}}})

SQUALL_LAYER_CASES(
    MaxPool1D, {.name = "stride is the kernel", .options = {{"kernel_size", 2}}, .inputs = {{"default", {5, 2}}}},
    {.name = "padded ceil",
     .options = {{"kernel_size", 3}, {"stride", 2}, {"padding", 1}, {"ceil_mode", true}},
     .inputs = {{.name = "default", .features = {6, 1}, .leading = {"B"}}},
     .rejects = {{.options = {{"stride", 2}}, .says = {"MaxPool1D 'Layer'", "option 'kernel_size' is missing"}}}})

SQUALL_LAYER_CASES(MaxPool2D,
                   {.name = "dilated",
                    .options = {{"kernel_size", {3, 2}}, {"stride", {2, 1}}, {"padding", 1}, {"dilation", {1, 2}}},
                    .inputs = {{"default", {6, 5, 2}}}},
                   {.name = "with indices",
                    .options = {{"kernel_size", 2}, {"return_indices", true}},
                    .inputs = {{"default", {4, 4, 2}}}})

SQUALL_LAYER_CASES(MaxPool3D, {.name = "overlapping",
                               .options = {{"kernel_size", 2}, {"stride", 1}},
                               .inputs = {{"default", {3, 2, 3, 1}}}})

SQUALL_LAYER_CASES(AvgPool1D, {.name = "counts padding",
                               .options = {{"kernel_size", 3}, {"stride", 2}, {"padding", 1}},
                               .inputs = {{"default", {6, 2}}}})

SQUALL_LAYER_CASES(AvgPool2D,
                   {.name = "ceil",
                    .options = {{"kernel_size", {3, 2}}, {"stride", 2}, {"padding", 1}, {"ceil_mode", true}},
                    .inputs = {{"default", {6, 5, 2}}}},
                   {.name = "without padding",
                    .options = {{"kernel_size", 3}, {"stride", 2}, {"padding", 1}, {"count_include_pad", false}},
                    .inputs = {{"default", {4, 5, 1}}}},
                   {.name = "divisor",
                    .options = {{"kernel_size", 2}, {"divisor_override", 3}},
                    .inputs = {{.name = "default", .features = {4, 4, 2}, .leading = {}}},
                    .rejects = {{.options = {{"kernel_size", 2}, {"divisor_override", 0}},
                                 .says = {"'divisor_override' should be"}}}})

SQUALL_LAYER_CASES(AvgPool3D, {.name = "padded",
                               .options = {{"kernel_size", 2}, {"stride", 1}, {"padding", 1}},
                               .inputs = {{"default", {2, 2, 3, 1}}}})

SQUALL_LAYER_CASES(AdaptiveAvgPool1D,
                   {.name = "uneven", .options = {{"output_size", 3}}, .inputs = {{"default", {7, 2}}}})
SQUALL_LAYER_CASES(AdaptiveAvgPool2D,
                   {.name = "one mean", .options = {{"output_size", 1}}, .inputs = {{"default", {3, 4, 2}}}},
                   {.name = "more than there are",
                    .options = {{"output_size", {2, 5}}},
                    .inputs = {{"default", {3, 3, 1}}},
                    .rejects = {{.options = nlohmann::ordered_json::object(),
                                 .says = {"AdaptiveAvgPool2D 'Layer'", "option 'output_size' is missing"}}}})
SQUALL_LAYER_CASES(AdaptiveAvgPool3D,
                   {.name = "uneven", .options = {{"output_size", {1, 2, 3}}}, .inputs = {{"default", {2, 3, 4, 1}}}})
SQUALL_LAYER_CASES(AdaptiveMaxPool1D,
                   {.name = "uneven", .options = {{"output_size", 4}}, .inputs = {{"default", {6, 2}}}})
SQUALL_LAYER_CASES(AdaptiveMaxPool2D,
                   {.name = "uneven", .options = {{"output_size", {2, 3}}}, .inputs = {{"default", {5, 7, 2}}}})
SQUALL_LAYER_CASES(AdaptiveMaxPool3D,
                   {.name = "uneven", .options = {{"output_size", 2}}, .inputs = {{"default", {3, 2, 3, 1}}}})

SQUALL_LAYER_CASES(
    Upsample, {.name = "nearest", .options = {{"scale_factor", 2}}, .inputs = {{"default", {2, 3, 2}}}},
    {.name = "nearest size", .options = {{"size", {5, 2}}}, .inputs = {{"default", {2, 3, 1}}}},
    {.name = "linear", .options = {{"size", 7}, {"mode", "linear"}}, .inputs = {{"default", {4, 2}}}},
    {.name = "bilinear",
     .options = {{"scale_factor", {1.5, 2}}, {"mode", "bilinear"}},
     .inputs = {{.name = "default", .features = {2, 3, 2}, .leading = {"B"}}}},
    {.name = "trilinear corners",
     .options = {{"size", {3, 1, 4}}, {"mode", "trilinear"}, {"align_corners", true}},
     .inputs = {{"default", {2, 2, 3, 1}}},
     .rejects = {
         {.options = nlohmann::ordered_json::object(), .says = {"Upsample 'Layer'", "'size' and 'scale_factor'"}},
         {.options = {{"size", {2, 3}}}, .says = {"option 'size' should be one number or 3"}},
         {.options = {{"scale_factor", "2"}}, .says = {"option 'scale_factor' should be a positive number"}},
         {.options = {{"scale_factor", {2, 2}}}, .says = {"option 'scale_factor' should be one number or 3"}},
         {.options = {{"size", 2}}, .inputs = {{"default", {3}}}, .says = {"one to three axes and channels"}}}})

SQUALL_LAYER_CASES(PixelShuffle,
                   {.name = "two",
                    .options = {{"upscale_factor", 2}},
                    .inputs = {{"default", {2, 3, 8}}},
                    .rejects = {{.options = {{"upscale_factor", 3}},
                                 .says = {"PixelShuffle 'Layer'", "channels should be a multiple of 3 x 3"}},
                                {.options = nlohmann::ordered_json::object(), .says = {"option 'upscale_factor'"}}}})

SQUALL_LAYER_CASES(Pool2D, {.name = "max", .options = {{"kernel_size", 2}}, .inputs = {{"default", {3, 4, 2}}}},
                   {.name = "padded max",
                    .options = {{"kernel_size", {3, 2}}, {"padding", 1}, {"stride", {1, 2}}},
                    .inputs = {{"default", {4, 3, 2}}}},
                   {.name = "padded average",
                    .options = {{"kernel_size", {3, 2}}, {"mode", "average"}, {"padding", 1}, {"stride", 2}},
                    .inputs = {{"default", {4, 3, 1}}},
                    .rejects = {
                        {.options = {{"kernel_size", 2}, {"mode", "mean"}}, .says = {"'mode' should be one of"}},
                        {.options = {{"mode", "max"}}, .says = {"option 'kernel_size' is missing"}}}})

}  // namespace
