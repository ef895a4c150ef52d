// MaskedDense: BeyondML's dense layer, whose weights sparsification may mask.
#include "common/dense_layer.hpp"

namespace squall {

class MaskedDense final : public DenseLayer<MaskedDense, Maskable<DenseOptions>> {
 public:
  static constexpr std::string_view kType = "MaskedDense";
  static constexpr std::string_view kDoc =
      "y = f(W x + bias) with the features of x flattened; W (units, inputs) can be masked.";
  static constexpr bool kFixed = false;
};

void register_masked_dense(Catalog& catalog) { catalog.of<Layer>().add<MaskedDense>(); }

}  // namespace squall
