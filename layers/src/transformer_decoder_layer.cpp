// TransformerDecoderLayer: a layer of a transformer's decoder.
#include "common/transformer.hpp"

namespace squall {

class TransformerDecoderLayer final : public TransformerLayer<TransformerDecoderLayer, TransformerOptions> {
 public:
  static constexpr std::string_view kType = "TransformerDecoderLayer";
  static constexpr std::string_view kDoc =
      "As TransformerEncoderLayer, with attention to the input 'memory' after the one to itself. Optional inputs: "
      "tgt_mask, tgt_key_padding_mask, memory_mask, memory_key_padding_mask.";
  static constexpr bool kDecoder = true, kFixed = false;
};

void register_transformer_decoder_layer(Catalog& catalog) { catalog.of<Layer>().add<TransformerDecoderLayer>(); }

}  // namespace squall
