// DotProductAttention: numpy-ml's attention, with dropout of the weights instead of the scores.
#include "common/dot_product.hpp"

namespace squall {

struct DotProductAttentionOptions {
  bool scale = true;
  double dropout_p = 0;
  bool is_causal = false, added_mask = false;
  static constexpr auto fields = std::tuple{
      field("scale", &DotProductAttentionOptions::scale, "whether scores are divided by the root of the keys' width"),
      field("dropout_p", &DotProductAttentionOptions::dropout_p, "share of the attention that is dropped in training"),
      field("is_causal", &DotProductAttentionOptions::is_causal, "whether a query sees only keys up to its own place"),
      field("added_mask", &DotProductAttentionOptions::added_mask,
            "whether the mask is real numbers added to the scores; otherwise it is 0 or 1, and 1 forbids")};
};

class DotProductAttention final : public DotProductLayer<DotProductAttention, DotProductAttentionOptions> {
 public:
  static constexpr std::string_view kType = "DotProductAttention";
  static constexpr std::string_view kDoc =
      "y = softmax(q k^T / sqrt(width)) v, or without the root; shapes and masks as in ScaledDotProductAttention. "
      "Dropout takes weights away after the softmax.";
  double scale(Index width) const { return options.scale ? 1.0 / std::sqrt(static_cast<double>(width)) : 1.0; }
};

void register_dot_product_attention(Catalog& catalog) { catalog.of<Layer>().add<DotProductAttention>(); }

}  // namespace squall
