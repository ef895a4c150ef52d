#include "reference/parts.hpp"

#include "squall/core/ops/linalg.hpp"

namespace squall {

int Parts::book(DType dtype, const Shape& shape) {
  const std::size_t bytes = static_cast<std::size_t>(shape.elements()) * size_of(dtype);
  parts_.push_back({dtype, shape, bytes_});
  bytes_ += (bytes + 63) / 64 * 64;
  return static_cast<int>(parts_.size()) - 1;
}

Tensor Parts::operator[](int part) const {
  const Part& p = parts_[static_cast<std::size_t>(part)];
  SQUALL_CHECK(block_ != nullptr || bytes_ == 0, "a plan runs without the ", bytes_, " bytes of memory it booked");
  if (block_ == nullptr) return {nullptr, p.dtype, p.shape};
  return {static_cast<std::byte*>(block_) + p.offset, p.dtype, p.shape};
}

void finish_forward(const Handler& h, Activation f, const ConstTensor& b, const Tensor& y) {
  if (b) h.linalg().with_row(Binary::Add, y, b, Sink(y));
  if (f == Activation::Linear) return;
  if (f == Activation::Softmax) return h.linalg().softmax(y, y);
  h.elementwise().activate(f, y, y);
}

void start_backward(const Handler& h, Activation f, const ConstTensor& y, const Tensor& dy) {
  if (f == Activation::Linear) return;
  if (f == Activation::Softmax) return h.linalg().softmax_back(y, dy, Sink(dy));
  h.elementwise().activate_back(f, y, dy, Sink(dy));
}

OwnedTensor own(const Handler& h, const ConstTensor& host, DType dtype) {
  DeviceBlock block(h.memory(), static_cast<std::size_t>(host.elements()) * size_of(dtype));
  const Tensor tensor(block.data(), dtype, host.shape());
  h.memory().upload(host, tensor);
  return {std::move(block), tensor};
}

OwnedTensor own_dense(const Handler& h, const PackedWeight* packed) {
  if (packed == nullptr) return {};
  const HostArray dense = HostArray::of(Shape{packed->rows, packed->columns}, packed->to_dense());
  return own(h, dense.view(), h.dtype());
}

}  // namespace squall
