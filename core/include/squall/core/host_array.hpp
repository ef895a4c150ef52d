// An array in host memory that owns its elements: what goes in and out at the edge of the library.
#pragma once

#include <cstring>
#include <memory>
#include <span>
#include <vector>

#include "squall/core/tensor.hpp"

namespace squall {

class HostArray {
 public:
  HostArray() = default;
  HostArray(DType dtype, const Shape& shape);  // zeros
  // Copies `values`; their number must be that of `shape`.
  template <class T>
  static HostArray of(const Shape& shape, std::span<const T> values) {
    HostArray a(dtype_of<T>, shape);
    SQUALL_CHECK(static_cast<Index>(values.size()) == shape.elements(), values.size(), " values do not fill ", shape);
    if (!values.empty()) std::memcpy(a.data(), values.data(), values.size_bytes());
    return a;
  }
  template <class T>
  static HostArray of(const Shape& shape, const std::vector<T>& values) {
    return of(shape, std::span<const T>(values));
  }
  static HostArray copy_of(const ConstTensor& host_view);

  // Becomes an array of this type and shape; content is arbitrary. Allocates only when it grows beyond what it ever
  // was.
  void resize(DType dtype, const Shape& shape);

  bool empty() const { return bytes_.empty(); }
  DType dtype() const { return dtype_; }
  const Shape& shape() const { return shape_; }
  Index elements() const { return elements_; }
  std::size_t bytes() const { return bytes_.size(); }
  void* data() { return bytes_.data(); }
  const void* data() const { return bytes_.data(); }
  Tensor view() { return {bytes_.data(), dtype_, shape_}; }
  ConstTensor view() const { return {bytes_.data(), dtype_, shape_}; }
  template <class T>
  std::span<T> span() {
    return {view().as<T>(), static_cast<std::size_t>(elements_)};
  }
  template <class T>
  std::span<const T> span() const {
    return {view().as<T>(), static_cast<std::size_t>(elements_)};
  }
  double value(Index i) const;        // element i of the flat array, as a double
  void set_value(Index i, double v);  // rounded to the element type
  HostArray cast(DType dtype) const;  // every element converted
  HostArray reshaped(const Shape& shape) const;
  std::vector<double> doubles() const;
  friend bool operator==(const HostArray& a, const HostArray& b);  // same type, shape and bits

 private:
  DType dtype_ = DType::F32;
  Shape shape_;
  Index elements_ = 0;
  std::vector<std::byte> bytes_;
};

}  // namespace squall
