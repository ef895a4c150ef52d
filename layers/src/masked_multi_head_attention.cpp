// MaskedMultiHeadAttention: BeyondML's attention, whose weights sparsification may mask.
#include "common/attention_layer.hpp"
#include "common/convolution_layer.hpp"

namespace squall {

class MaskedMultiHeadAttention final
    : public AttentionLayer<MaskedMultiHeadAttention, Maskable<MultiHeadAttentionOptions>> {
 public:
  static constexpr std::string_view kType = "MaskedMultiHeadAttention";
  static constexpr std::string_view kDoc =
      "MultiHeadAttention whose projections can be masked; queries, keys and values compete inside in_proj_weight.";
  static constexpr bool kFixed = false;
};

void register_masked_multi_head_attention(Catalog& catalog) { catalog.of<Layer>().add<MaskedMultiHeadAttention>(); }

}  // namespace squall
