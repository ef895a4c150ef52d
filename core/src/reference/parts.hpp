// What reference plans share: pieces of booked memory, the end of a layer (bias, activation), packed weights.
#pragma once

#include "squall/core/activation.hpp"
#include "squall/core/ops/memory.hpp"
#include "squall/core/packed_weight.hpp"

namespace squall {

// Tensors laid one after another in a block of memory that is given later. Each starts at a multiple of 64 bytes.
class Parts {
 public:
  // Books a tensor; the number stands for it.
  int book(DType dtype, const Shape& shape);
  std::size_t bytes() const { return bytes_; }
  void set(void* block) { block_ = block; }
  Tensor operator[](int part) const;

 private:
  struct Part {
    DType dtype;
    Shape shape;
    std::size_t offset;
  };
  std::vector<Part> parts_;
  std::size_t bytes_ = 0;
  void* block_ = nullptr;
};

// y += b for each row unless b is empty; y = f(y).
void finish_forward(const Handler& h, Activation f, const ConstTensor& b, const Tensor& y);
// dy = gradient before the activation.
void start_backward(const Handler& h, Activation f, const ConstTensor& y, const Tensor& dy);

// Device memory with the given host values, converted to `dtype`; the plan that asks owns it.
struct OwnedTensor {
  DeviceBlock block;
  Tensor tensor;
};
OwnedTensor own(const Handler& h, const ConstTensor& host, DType dtype);
// The dense form (rows, columns) of a packed weight on the device; empty when there is none.
OwnedTensor own_dense(const Handler& h, const PackedWeight* packed);

}  // namespace squall
