// MaskedTransformerDecoderLayer: a layer of a transformer's decoder.
#include "common/convolution_layer.hpp"
#include "common/transformer.hpp"

namespace squall {

class MaskedTransformerDecoderLayer final
    : public TransformerLayer<MaskedTransformerDecoderLayer, Maskable<TransformerOptions>> {
 public:
  static constexpr std::string_view kType = "MaskedTransformerDecoderLayer";
  static constexpr std::string_view kDoc =
      "TransformerDecoderLayer whose attention and dense weights can be masked; the layer norms never are.";
  static constexpr bool kDecoder = true, kFixed = false;
};

void register_masked_transformer_decoder_layer(Catalog& catalog) {
  catalog.of<Layer>().add<MaskedTransformerDecoderLayer>();
}

}  // namespace squall
