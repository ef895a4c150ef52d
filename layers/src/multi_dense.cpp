// MultiDense: the dense layer for several tasks at once, without masks.
#include "common/dense_layer.hpp"

namespace squall {

class MultiDense final : public DenseLayer<MultiDense, ForTasks<DenseOptions>> {
 public:
  static constexpr std::string_view kType = "MultiDense";
  static constexpr std::string_view kDoc =
      "y_t = f(W_t x_t + bias_t) for every task t; W (tasks, units, inputs). Batch sizes may differ.";
  static constexpr bool kFixed = false;
};

void register_multi_dense(Catalog& catalog) { catalog.of<Layer>().add<MultiDense>(); }

}  // namespace squall
