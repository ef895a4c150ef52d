// SparseMultiHeadAttention: attention with given weights, to be stored sparse.
#include "common/attention_layer.hpp"

namespace squall {

class SparseMultiHeadAttention final : public AttentionLayer<SparseMultiHeadAttention, MultiHeadAttentionOptions> {
 public:
  static constexpr std::string_view kType = "SparseMultiHeadAttention";
  static constexpr std::string_view kDoc =
      "MultiHeadAttention with given weights, which are never trained and are stored without their zeros when the "
      "model is converted to sparse form.";
  static constexpr bool kFixed = true;
};

void register_sparse_multi_head_attention(Catalog& catalog) { catalog.of<Layer>().add<SparseMultiHeadAttention>(); }

}  // namespace squall
