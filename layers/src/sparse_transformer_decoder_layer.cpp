// SparseTransformerDecoderLayer: a layer of a transformer's decoder.
#include "common/transformer.hpp"

namespace squall {

class SparseTransformerDecoderLayer final : public TransformerLayer<SparseTransformerDecoderLayer, TransformerOptions> {
 public:
  static constexpr std::string_view kType = "SparseTransformerDecoderLayer";
  static constexpr std::string_view kDoc =
      "TransformerDecoderLayer with given weights, which are never trained and are stored without their zeros when the "
      "model is converted to sparse form; the layer norms stay trainable.";
  static constexpr bool kDecoder = true, kFixed = true;
};

void register_sparse_transformer_decoder_layer(Catalog& catalog) {
  catalog.of<Layer>().add<SparseTransformerDecoderLayer>();
}

}  // namespace squall
