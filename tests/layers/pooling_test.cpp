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

}  // namespace
