// MaskedTransformerEncoderLayer: a layer of a transformer's encoder.
#include "common/convolution_layer.hpp"
#include "common/transformer.hpp"

namespace squall {

class MaskedTransformerEncoderLayer final
    : public TransformerLayer<MaskedTransformerEncoderLayer, Maskable<TransformerOptions>> {
 public:
  static constexpr std::string_view kType = "MaskedTransformerEncoderLayer";
  static constexpr std::string_view kDoc =
      "TransformerEncoderLayer whose attention and dense weights can be masked; the layer norms never are.";
  static constexpr bool kDecoder = false, kFixed = false;
};

void register_masked_transformer_encoder_layer(Catalog& catalog) {
  catalog.of<Layer>().add<MaskedTransformerEncoderLayer>();
}

}  // namespace squall
