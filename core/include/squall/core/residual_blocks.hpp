// Blocks of several layers with a way around them: WaveNet's, and those of residual networks.
//
//   WaveNetBlock block = build_wavenet_block(a, "Block_1", x, {.channels = 16, .gate_channels = 32, .dilation = 2});
//   x = build_residual_block(a, "Block_2", x, {.filters = 32, .out_filters = 64, .stride = 2, .projected = true});
#pragma once

#include <optional>

#include "squall/core/architecture.hpp"

namespace squall {

struct WaveNetOptions {
  Index channels = 0, gate_channels = 0;  // of the sequences that come in and leave; between
  Index kernel = 2, dilation = 1;         // dilation 1: neighbours
  // Without, what is added to the input is also what is skipped (numpy-ml); with, skipping has a product of its own.
  std::optional<Index> skip_channels = std::nullopt;
  bool one_filter = false;  // values and their gates are one convolution's (numpy-ml) instead of two
};

struct WaveNetBlock {
  Port residual, skip;
};

// Adds NAME_filter, NAME_gate (NAME_value with one_filter), NAME_gated, NAME_projection (NAME_skip), NAME_sum behind
// `input`, sequences (B, length, channels): residual = input + projection(tanh(filter) sigmoid(gate)); convolutions are
// causal (van den Oord et al. 2016). Throws ConfigError for sizes below 1.
WaveNetBlock build_wavenet_block(Architecture& a, const std::string& name, const Port& input,
                                 const WaveNetOptions& options);

struct ResidualOptions {
  Index filters = 0, out_filters = 0;  // of the first and the second convolution
  Index kernel = 3, stride = 1;        // of both; of the first
  std::string activation = "rel";
  bool projected = false;  // whether the way around is a 1x1 convolution, too; needed where shapes change
  double epsilon = 1e-5;   // of the batch norms
};

// Adds NAME_conv1, NAME_norm1, NAME_act1, NAME_conv2, NAME_norm2 (NAME_around, NAME_norm_around), NAME_sum, NAME_act2
// behind `input`, images (B, height, width, channels): activation(input + norm(conv(activation(norm(conv(input))))))
// (He et al. 2016). Throws ConfigError for sizes below 1.
Port build_residual_block(Architecture& a, const std::string& name, const Port& input, const ResidualOptions& options);

}  // namespace squall
