// SparseTransformerEncoderLayer: a layer of a transformer's encoder.
#include "common/transformer.hpp"

namespace squall {

class SparseTransformerEncoderLayer final : public TransformerLayer<SparseTransformerEncoderLayer, TransformerOptions> {
 public:
  static constexpr std::string_view kType = "SparseTransformerEncoderLayer";
  static constexpr std::string_view kDoc =
      "TransformerEncoderLayer with given weights, which are never trained and are stored without their zeros when the "
      "model is converted to sparse form; the layer norms stay trainable.";
  static constexpr bool kDecoder = false, kFixed = true;
};

void register_sparse_transformer_encoder_layer(Catalog& catalog) {
  catalog.of<Layer>().add<SparseTransformerEncoderLayer>();
}

}  // namespace squall
