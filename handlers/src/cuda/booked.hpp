// The workspace or reserve of a plan: arrays one after another in a block that is given later.
#pragma once

#include <vector>

#include "squall/core/tensor.hpp"

namespace squall::cuda {

class Booked {
 public:
  // Books an array; the number stands for it.
  int book(DType dtype, const Shape& shape) {
    offsets_.push_back({ConstTensor(nullptr, dtype, shape), bytes_});
    bytes_ += (static_cast<std::size_t>(shape.elements()) * size_of(dtype) + 63) / 64 * 64;
    return static_cast<int>(offsets_.size()) - 1;
  }
  std::size_t bytes() const { return bytes_; }
  void set(void* block) { block_ = static_cast<std::byte*>(block); }
  Tensor operator[](int number) const {
    const auto& [form, offset] = offsets_[static_cast<std::size_t>(number)];
    return {block_ + offset, form.dtype(), form.shape()};
  }

 private:
  struct Part {
    ConstTensor form;
    std::size_t offset;
  };
  std::vector<Part> offsets_;
  std::size_t bytes_ = 0;
  std::byte* block_ = nullptr;
};

}  // namespace squall::cuda
