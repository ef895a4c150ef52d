// Dense: BeyondML's dense layer without masks.
#include "common/dense_layer.hpp"

namespace squall {

class Dense final : public DenseLayer<Dense, DenseOptions> {
 public:
  static constexpr std::string_view kType = "Dense";
  static constexpr std::string_view kDoc = "y = f(W x + bias) with the features of x flattened; W (units, inputs).";
  static constexpr bool kFixed = false;
};

void register_dense(Catalog& catalog) { catalog.of<Layer>().add<Dense>(); }

}  // namespace squall
