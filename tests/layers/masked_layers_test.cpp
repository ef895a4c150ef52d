// NeuroSurgeon's layers: dense layers and convolutions under learned masks of their own.
#include "layers/cases.hpp"

namespace {

using squall::testing::LayerCase;

SQUALL_LAYER_CASES(
    ContSparseLinear,
    {.name = "weights and biases",
     .options = {{"out_features", 3}, {"mask_bias", true}, {"temperature", 1.7}},
     .inputs = {{"default", {4}}}},
    {.name = "neurons", .options = {{"out_features", 3}, {"mask_unit", "neuron"}}, .inputs = {{"default", {2, 2}}}},
    {.name = "a bias goes with its neuron",
     .options = {{"out_features", 3}, {"mask_unit", "neuron"}, {"tie_bias", true}, {"l0_lambda", 0.3}},
     .inputs = {{"default", {4}}},
     .coupled = true},
    {.name = "no bias",
     .options = {{"out_features", 3}, {"bias", false}, {"l0_lambda", 0.2}},
     .inputs = {{"default", {4}}},
     .coupled = true,
     .rejects = {{.options = {{"out_features", 3}, {"bias", false}, {"mask_bias", true}},
                  .says = {"ContSparseLinear 'Layer'", "option 'mask_bias' needs a bias, and there is none"}},
                 {.options = {{"out_features", 3}, {"tie_bias", true}}, .says = {"tie_bias", "mask_unit"}},
                 {.options = {{"out_features", 3}, {"temperature", -1}}, .says = {"'temperature'", "-1"}},
                 {.options = {{"out_features", 3}, {"l0_lambda", -1}}, .says = {"'l0_lambda'", "-1"}},
                 {.options = {{"out_features", 3}, {"in_features", 5}}, .says = {"'in_features' is 5", "input has 4"}},
                 {.options = {{"out_features", 3}, {"mask_unit", "row"}},
                  .says = {"option 'mask_unit'", "weight, neuron, filter"}},
                 {.options = {{"out_features", 3}, {"ablation", "everything"}},
                  .says = {"option 'ablation'", "complement_sampled"}},
                 {.options = {{"mask_init_value", 1}}, .says = {"option 'out_features' should be a positive"}}}})

SQUALL_LAYER_CASES(
    HardConcreteLinear,
    {.name = "weights and biases",
     .options = {{"out_features", 3}, {"mask_bias", true}},
     .inputs = {{"default", {4}}},
     .tolerance_f32 = 1e-3},
    {.name = "neurons with a penalty",
     .options = {{"out_features", 3}, {"mask_unit", "neuron"}, {"l0_lambda", 0.2}, {"left_stretch", -0.2}},
     .inputs = {{"default", {4}}},
     .coupled = true,
     .tolerance_f32 = 1e-3,
     .rejects = {{.options = {{"out_features", 3}, {"mask_init_percentage", 1.01}},
                  .says = {"'mask_init_percentage' should be from 0 to 1, not 1.01"}},
                 {.options = {{"out_features", 3}, {"temperature", 0}}, .says = {"'temperature' should be positive"}},
                 {.options = {{"out_features", 3}, {"left_stretch", 0.1}}, .says = {"'left_stretch'", "below 0"}}}})

SQUALL_LAYER_CASES(MagPruneLinear,
                   {.name = "weights and biases",
                    .options = {{"out_features", 4}, {"mask_bias", true}, {"prune_percentage", 0.5}},
                    .inputs = {{"default", {4}}}},
                   {.name = "without masks",
                    .options = {{"out_features", 4}, {"use_masks", false}},
                    .inputs = {{"default", {4}}},
                    .rejects = {{.options = {{"out_features", 3}, {"prune_percentage", 1.5}},
                                 .says = {"'prune_percentage'", "1.5"}},
                                {.options = {{"out_features", 3}, {"mask_unit", "neuron"}},
                                 .says = {"'mask_unit'", "ranks weights"}}}})

SQUALL_LAYER_CASES(ContSparseGPTConv1D,
                   {.name = "biases",
                    .options = {{"nf", 3}, {"nx", 4}, {"mask_bias", true}},
                    .inputs = {{"default", {4}}},
                    .rejects = {{.options = {{"nf", 3}, {"nx", 5}}, .says = {"'nx' is 5, but the input has 4"}},
                                {.options = {{"nx", 4}}, .says = {"option 'nf' should be a positive"}}}},
                   {.name = "neurons", .options = {{"nf", 3}, {"mask_unit", "neuron"}}, .inputs = {{"default", {4}}}})
SQUALL_LAYER_CASES(HardConcreteGPTConv1D, {.name = "biases",
                                           .options = {{"nf", 3}, {"mask_bias", true}},
                                           .inputs = {{"default", {4}}},
                                           .tolerance_f32 = 1e-3})
SQUALL_LAYER_CASES(MagPruneGPTConv1D, {.name = "biases",
                                       .options = {{"nf", 3}, {"mask_bias", true}, {"prune_percentage", 0.4}},
                                       .inputs = {{"default", {4}}}})

SQUALL_LAYER_CASES(
    ContSparseConv1d,
    {.name = "in groups",
     .options = {{"out_channels", 4}, {"kernel_size", 2}, {"groups", 2}, {"padding", 1}, {"mask_bias", true}},
     .inputs = {{"default", {5, 4}}}},
    {.name = "taps of filters",
     .options = {{"out_channels", 2}, {"kernel_size", 3}, {"dilation", 2}, {"mask_unit", "neuron"}},
     .inputs = {{"default", {7, 3}}},
     .rejects = {{.options = {{"out_channels", 2}}, .says = {"option 'kernel_size' is missing"}},
                 {.options = {{"kernel_size", 2}}, .says = {"option 'out_channels' should be a positive"}},
                 {.options = {{"out_channels", 2}, {"kernel_size", 2}, {"in_channels", 4}},
                  .says = {"'in_channels' is 4, but the input has 3"}}}})
SQUALL_LAYER_CASES(HardConcreteConv1d,
                   {.name = "wrapped padding",
                    .options = {{"out_channels", 2}, {"kernel_size", 3}, {"padding", 1}, {"padding_mode", "circular"}},
                    .inputs = {{"default", {5, 2}}},
                    .tolerance_f32 = 1e-3})
SQUALL_LAYER_CASES(MagPruneConv1d, {.name = "strides",
                                    .options = {{"out_channels", 2},
                                                {"kernel_size", 2},
                                                {"stride", 2},
                                                {"prune_percentage", 0.5},
                                                {"mask_bias", true}},
                                    .inputs = {{"default", {6, 2}}}})

SQUALL_LAYER_CASES(ContSparseConv2d,
                   {.name = "depthwise",
                    .options = {{"out_channels", 4}, {"kernel_size", {2, 3}}, {"groups", 2}, {"padding", {1, 0}}},
                    .inputs = {{"default", {4, 4, 2}}}},
                   {.name = "filters with their biases",
                    .options = {{"out_channels", 3},
                                {"kernel_size", 2},
                                {"mask_unit", "filter"},
                                {"tie_bias", true},
                                {"l0_lambda", 0.1}},
                    .inputs = {{"default", {3, 3, 2}}},
                    .coupled = true})
SQUALL_LAYER_CASES(HardConcreteConv2d, {.name = "taps of filters",
                                        .options = {{"out_channels", 2},
                                                    {"kernel_size", 2},
                                                    {"mask_unit", "neuron"},
                                                    {"mask_bias", true},
                                                    {"padding", 1},
                                                    {"padding_mode", "reflect"}},
                                        .inputs = {{"default", {3, 3, 2}}},
                                        .tolerance_f32 = 1e-3})
SQUALL_LAYER_CASES(MagPruneConv2d,
                   {.name = "no bias",
                    .options = {{"out_channels", 2}, {"kernel_size", 2}, {"bias", false}, {"prune_percentage", 0.3}},
                    .inputs = {{"default", {3, 3, 2}}}})

}  // namespace
