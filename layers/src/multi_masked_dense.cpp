// MultiMaskedDense: BeyondML's dense layer for several tasks at once, one slice of the weights for each.
#include "common/dense_layer.hpp"

namespace squall {

class MultiMaskedDense final : public DenseLayer<MultiMaskedDense, ForTasks<Maskable<DenseOptions>>> {
 public:
  static constexpr std::string_view kType = "MultiMaskedDense";
  static constexpr std::string_view kDoc =
      "y_t = f(W_t x_t + bias_t) for every task t; W (tasks, units, inputs) can be masked. Batch sizes may "
      "differ.";
  static constexpr bool kFixed = false;
};

void register_multi_masked_dense(Catalog& catalog) { catalog.of<Layer>().add<MultiMaskedDense>(); }

}  // namespace squall
