// SparseMultiDense: dense layers of several tasks with given weights, to be stored sparse.
#include "common/dense_layer.hpp"

namespace squall {

class SparseMultiDense final : public DenseLayer<SparseMultiDense, ForTasks<DenseOptions>> {
 public:
  static constexpr std::string_view kType = "SparseMultiDense";
  static constexpr std::string_view kDoc =
      "y_t = f(W_t x_t + bias_t) with given W (tasks, units, inputs), which is never trained and is stored "
      "without its zeros when the model is converted to sparse form.";
  static constexpr bool kFixed = true;
};

void register_sparse_multi_dense(Catalog& catalog) { catalog.of<Layer>().add<SparseMultiDense>(); }

}  // namespace squall
