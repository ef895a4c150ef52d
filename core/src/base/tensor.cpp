#include "squall/core/tensor.hpp"

namespace squall {

namespace {

Shape rows_shape(const Shape& s) {
  if (s.rank() == 0) return Shape{1, 1};
  const Index last = s[-1];
  return Shape{s.until(s.rank() - 1).elements(), last};
}
Shape flat_shape(const Shape& s, int lead) { return Shape{s.until(lead).elements(), s.from(lead).elements()}; }

}  // namespace

ConstTensor ConstTensor::reshaped(const Shape& shape) const {
  if (data_ == nullptr) return {};
  SQUALL_CHECK(shape.elements() == elements_, "cannot view ", shape_, " as ", shape);
  return {data_, dtype_, shape};
}

ConstTensor ConstTensor::slice(Index first, Index count) const {
  if (data_ == nullptr) return {};
  SQUALL_CHECK(shape_.rank() > 0 && first >= 0 && count >= 0 && first + count <= shape_[0], "rows ", first, " to ",
               first + count, " are not all in ", shape_);
  const Shape rest = shape_.from(1);
  const auto offset = static_cast<std::size_t>(first * rest.elements()) * size_of(dtype_);
  return {static_cast<const char*>(data_) + offset, dtype_, rest.with_front(count)};
}

ConstTensor ConstTensor::at(Index index) const { return slice(index, 1).reshaped(shape_.from(1)); }

Tensor Tensor::reshaped(const Shape& shape) const {
  const ConstTensor c = ConstTensor::reshaped(shape);
  return c ? Tensor(const_cast<void*>(c.data()), c.dtype(), c.shape()) : Tensor();
}
Tensor Tensor::slice(Index first, Index count) const {
  const ConstTensor c = ConstTensor::slice(first, count);
  return c ? Tensor(const_cast<void*>(c.data()), c.dtype(), c.shape()) : Tensor();
}
Tensor Tensor::at(Index index) const {
  const ConstTensor c = ConstTensor::at(index);
  return c ? Tensor(const_cast<void*>(c.data()), c.dtype(), c.shape()) : Tensor();
}

ConstMatrix::ConstMatrix(const ConstTensor& x) : data(x.data()), dtype(x.dtype()) {
  const Shape s = rows_shape(x.shape());
  nrows = s[0];
  ncols = s[1];
  ld = ncols;
}

ConstMatrix ConstMatrix::T() const {
  ConstMatrix out = *this;
  out.nrows = ncols;
  out.ncols = nrows;
  out.transposed = !transposed;
  return out;
}

ConstMatrix ConstMatrix::columns(Index first, Index count) const {
  SQUALL_CHECK(!transposed && first >= 0 && first + count <= ncols, "columns ", first, " to ", first + count,
               " are not all in ", *this);
  ConstMatrix out = *this;
  out.data = static_cast<const char*>(data) + static_cast<std::size_t>(first) * size_of(dtype);
  out.ncols = count;
  return out;
}

Matrix Matrix::columns(Index first, Index count) const {
  const ConstMatrix c = ConstMatrix::columns(first, count);
  return {const_cast<void*>(c.data), c.dtype, c.nrows, c.ncols, c.ld};
}

std::ostream& operator<<(std::ostream& out, const ConstMatrix& m) { return out << m.nrows << "x" << m.ncols; }

ConstTensor as_rows(const ConstTensor& x) { return x ? x.reshaped(rows_shape(x.shape())) : x; }
Tensor as_rows(const Tensor& x) { return x ? x.reshaped(rows_shape(x.shape())) : x; }
Sink as_rows(const Sink& s) { return s ? Sink(as_rows(s.to), s.mode) : s; }
ConstTensor flatten(const ConstTensor& x, int lead) { return x ? x.reshaped(flat_shape(x.shape(), lead)) : x; }
Tensor flatten(const Tensor& x, int lead) { return x ? x.reshaped(flat_shape(x.shape(), lead)) : x; }
Sink flatten(const Sink& s, int lead) { return s ? Sink(flatten(s.to, lead), s.mode) : s; }

}  // namespace squall
