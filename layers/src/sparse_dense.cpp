// SparseDense: a dense layer with given weights, to be stored sparse.
#include "common/dense_layer.hpp"

namespace squall {

class SparseDense final : public DenseLayer<SparseDense, DenseOptions> {
 public:
  static constexpr std::string_view kType = "SparseDense";
  static constexpr std::string_view kDoc =
      "y = f(W x + bias) with given W (units, inputs), which is never trained and is stored without its "
      "zeros when the model is converted to sparse form.";
  static constexpr bool kFixed = true;
};

void register_sparse_dense(Catalog& catalog) { catalog.of<Layer>().add<SparseDense>(); }

}  // namespace squall
