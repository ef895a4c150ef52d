// MultiHeadAttention: attention of several heads (Vaswani et al. 2017).
#include "common/attention_layer.hpp"

namespace squall {

class MultiHeadAttention final : public AttentionLayer<MultiHeadAttention, MultiHeadAttentionOptions> {
 public:
  static constexpr std::string_view kType = "MultiHeadAttention";
  static constexpr std::string_view kDoc =
      "y = W_o concat of heads softmax(q k^T / sqrt(width of a head) + masks) v + bias; q, k, v are products with "
      "in_proj_weight (3 embed_dim, embed_dim). Queries are the input, keys and values too unless 'key' and 'value' "
      "are connected; sequences are (T, B, width) or (B, length, width). Optional inputs: attn_mask (queries, keys), "
      "(B, queries, keys) or (B, heads, queries, keys); key_padding_mask (T, B, 1) or (B, keys). A query to which "
      "every key is forbidden gets zeros.";
  static constexpr bool kFixed = false;
};

void register_multi_head_attention(Catalog& catalog) { catalog.of<Layer>().add<MultiHeadAttention>(); }

}  // namespace squall
