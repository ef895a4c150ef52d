// TransformerEncoderLayer: a layer of a transformer's encoder.
#include "common/transformer.hpp"

namespace squall {

class TransformerEncoderLayer final : public TransformerLayer<TransformerEncoderLayer, TransformerOptions> {
 public:
  static constexpr std::string_view kType = "TransformerEncoderLayer";
  static constexpr std::string_view kDoc =
      "x + self attention, then x + linear2(activation(linear1 x)), with a layer norm after each sum or (norm_first) "
      "before each part (PyTorch's TransformerEncoderLayer). Sequences are (T, B, d_model) or (B, length, d_model); "
      "optional inputs src_mask, src_key_padding_mask as in MultiHeadAttention.";
  static constexpr bool kDecoder = false, kFixed = false;
};

void register_transformer_encoder_layer(Catalog& catalog) { catalog.of<Layer>().add<TransformerEncoderLayer>(); }

}  // namespace squall
