// ScaledDotProductAttention: PyTorch's attention without projections.
#include "common/dot_product.hpp"

namespace squall {

struct ScaledDotProductAttentionOptions {
  double dropout_p = 0;
  bool is_causal = false;
  std::optional<double> scale;
  bool added_mask = false;
  static constexpr auto fields =
      std::tuple{field("dropout_p", &ScaledDotProductAttentionOptions::dropout_p,
                       "share of the attention that is dropped in training"),
                 field("is_causal", &ScaledDotProductAttentionOptions::is_causal,
                       "whether a query sees only keys up to its own place"),
                 field("scale", &ScaledDotProductAttentionOptions::scale,
                       "factor of the scores; default: 1 / sqrt(width of keys)"),
                 field("added_mask", &ScaledDotProductAttentionOptions::added_mask,
                       "whether the mask is real numbers added to the scores; otherwise it is 0 or 1, and 1 forbids")};
};

class ScaledDotProductAttention final
    : public DotProductLayer<ScaledDotProductAttention, ScaledDotProductAttentionOptions> {
 public:
  static constexpr std::string_view kType = "ScaledDotProductAttention";
  static constexpr std::string_view kDoc =
      "y = softmax(scale q k^T + attn_mask) v for queries, 'key' and 'value' of shape (T, B, width), (B, ..., length, "
      "width) or (B, width), where the batch is the sequence. The optional input attn_mask is (queries, keys), or has "
      "the leading axes of the queries before that. A query to which every key is forbidden gets zeros.";
  double scale(Index width) const { return options.scale.value_or(1.0 / std::sqrt(static_cast<double>(width))); }
};

void register_scaled_dot_product_attention(Catalog& catalog) { catalog.of<Layer>().add<ScaledDotProductAttention>(); }

}  // namespace squall
