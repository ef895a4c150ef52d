#include "cuda/device/plans.hpp"

#include "squall/core/ops/linalg.hpp"

namespace squall::cuda {

void activate(const Handler& h, Activation f, const Tensor& y) {
  if (f == Activation::Linear) return;
  if (f == Activation::Softmax) return h.linalg().softmax(y, y);
  h.elementwise().activate(f, y, y);
}

void activate_back(const Handler& h, Activation f, const ConstTensor& y, const Tensor& dy) {
  if (f == Activation::Linear) return;
  if (f == Activation::Softmax) return h.linalg().softmax_back(y, dy, Sink(dy));
  h.elementwise().activate_back(f, y, dy, Sink(dy));
}

}  // namespace squall::cuda
