// Blocks of several layers for networks on tokens: a transformer block whose heads are tasks of multi layers, so that
// they can be masked against each other, and the embedding of tokens and places.
//
//   Port x = build_token_position_embedding_block(a, "Embed", a["Input.tokens"], a["Input.positions"],
//                                                 {.sequence_length = 512, .vocab_size = 30000, .embed_dim = 512});
//   x = build_transformer_block(a, "Block", x, {.embed_dim = 512, .num_heads = 8, .neurons = 1028});
#pragma once

#include <optional>

#include "squall/core/architecture.hpp"

namespace squall {

struct TransformerBlockOptions {
  Index embed_dim = 0, num_heads = 1, neurons = 0;  // of each head; between the two dense layers
  double dropout_rate = 0.1;
  // RSN2's blocks, without either, are the default. scaled: scores are divided by the root of a head's width.
  bool scaled = false;
  // The concatenated heads go through a product to this width, that of the input, and are added to the input.
  std::optional<Index> residual_width = std::nullopt;
};

// Adds the layers NAME_queries, NAME_keys, NAME_values (MultiDense, one task for each head), NAME_head_.., ..., and
// connects them behind `input`, sequences (T, B, width). o = LayerNorm(dropout(heads)); the port that comes back leaves
// LayerNorm(o + dropout(dense(dense(o)))). Throws ConfigError for sizes below 1.
Port build_transformer_block(Architecture& a, const std::string& name, const Port& input,
                             const TransformerBlockOptions& options);

struct TokenPositionBlockOptions {
  Index sequence_length = 0, vocab_size = 0, embed_dim = 0;
};
// Adds the layer NAME (TokenPositionEmbedding). Without `positions` places are counted from 0.
Port build_token_position_embedding_block(Architecture& a, const std::string& name, const Port& tokens,
                                          const std::optional<Port>& positions,
                                          const TokenPositionBlockOptions& options);

}  // namespace squall
