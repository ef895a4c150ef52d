#include "squall/core/host_array.hpp"

#include <exception>
#include <limits>

namespace squall {

namespace {

std::size_t bytes_of(DType dtype, const Shape& shape) {
  const Index most = std::numeric_limits<Index>::max() / static_cast<Index>(size_of(dtype));
  SQUALL_CHECK(shape.elements() <= most, "too many bytes in ", shape, " of ", name_of(dtype));
  return static_cast<std::size_t>(shape.elements()) * size_of(dtype);
}

}  // namespace

HostArray::HostArray(DType dtype, const Shape& shape) { resize(dtype, shape); }

void HostArray::resize(DType dtype, const Shape& shape) {
  const std::size_t bytes = bytes_of(dtype, shape);
  try {
    bytes_.resize(bytes);
  } catch (const std::exception&) {  // no memory, or more than a vector may have
    raise<DeviceError>("there is no memory for an array ", shape, " of ", name_of(dtype), ": ",
                       static_cast<double>(bytes) / 1e9, " GB");
  }
  dtype_ = dtype;
  shape_ = shape;
  elements_ = shape.elements();
}

HostArray HostArray::copy_of(const ConstTensor& host_view) {
  HostArray a(host_view.dtype(), host_view.shape());
  if (a.bytes() > 0) std::memcpy(a.data(), host_view.data(), a.bytes());
  return a;
}

double HostArray::value(Index i) const {
  return visit_dtype(dtype_, [&](auto zero) {
    using T = decltype(zero);
    return static_cast<double>(view().as<T>()[i]);
  });
}

void HostArray::set_value(Index i, double v) {
  visit_dtype(dtype_, [&](auto zero) {
    using T = decltype(zero);
    view().as<T>()[i] = static_cast<T>(v);
  });
}

HostArray HostArray::cast(DType dtype) const {
  if (dtype == dtype_) return *this;
  HostArray out(dtype, shape_);
  visit_dtype(dtype_, [&](auto from) {
    visit_dtype(dtype, [&](auto to) {
      const auto* source = view().as<decltype(from)>();
      auto* target = out.view().template as<decltype(to)>();
      for (Index i = 0; i < elements_; ++i) target[i] = static_cast<decltype(to)>(source[i]);
    });
  });
  return out;
}

HostArray HostArray::reshaped(const Shape& shape) const {
  SQUALL_CHECK(shape.elements() == elements_, "cannot view ", shape_, " as ", shape);
  HostArray out = *this;
  out.shape_ = shape;
  return out;
}

std::vector<double> HostArray::doubles() const {
  std::vector<double> out(static_cast<std::size_t>(elements_));
  for (Index i = 0; i < elements_; ++i) out[static_cast<std::size_t>(i)] = value(i);
  return out;
}

bool operator==(const HostArray& a, const HostArray& b) {
  return a.dtype_ == b.dtype_ && a.shape_ == b.shape_ && a.bytes_ == b.bytes_;
}

}  // namespace squall
