// Views of memory that somebody else owns. No arithmetic: only a handler computes. Constness is in the type.
#pragma once

#include <span>

#include "squall/core/dtype.hpp"
#include "squall/core/shape.hpp"

namespace squall {

// A contiguous row-major view that cannot be written through. Empty (false) when it has no data.
class ConstTensor {
 public:
  ConstTensor() = default;
  ConstTensor(const void* data, DType dtype, const Shape& shape)
      : data_(const_cast<void*>(data)), dtype_(dtype), shape_(shape), elements_(shape.elements()) {}

  explicit operator bool() const { return data_ != nullptr; }
  const void* data() const { return data_; }
  DType dtype() const { return dtype_; }
  const Shape& shape() const { return shape_; }
  Index elements() const { return elements_; }
  std::size_t bytes() const { return static_cast<std::size_t>(elements_) * size_of(dtype_); }
  template <class T>
  const T* as() const {
    check_type(dtype_of<T>);
    return static_cast<const T*>(data_);
  }
  // The same elements under another shape.
  ConstTensor reshaped(const Shape& shape) const;
  // `count` entries of the first axis from `first`; the axis stays.
  ConstTensor slice(Index first, Index count) const;
  // Entry `index` of the first axis; the axis goes.
  ConstTensor at(Index index) const;

 protected:
  void check_type(DType wanted) const {
    if (wanted != dtype_) raise<ShapeError>("a tensor of ", name_of(dtype_), " was read as ", name_of(wanted));
  }
  void* data_ = nullptr;
  DType dtype_ = DType::F32;
  Shape shape_;
  Index elements_ = 0;
};

// The same, writable.
class Tensor : public ConstTensor {
 public:
  Tensor() = default;
  Tensor(void* data, DType dtype, const Shape& shape) : ConstTensor(data, dtype, shape) {}
  void* data() const { return data_; }
  template <class T>
  T* as() const {
    check_type(dtype_of<T>);
    return static_cast<T*>(data_);
  }
  Tensor reshaped(const Shape& shape) const;
  Tensor slice(Index first, Index count) const;
  Tensor at(Index index) const;
};

enum class Write : std::uint8_t { Overwrite, Add };

class GradientTaker;

// Where a result goes and how. Empty: nobody wants it, do not compute it.
struct Sink {
  Tensor to;
  Write mode = Write::Overwrite;
  GradientTaker* taker = nullptr;  // a plan may give the whole of a gradient to it instead (gradient_taker.hpp)
  Sink() = default;
  Sink(const Tensor& tensor, Write how = Write::Overwrite) : to(tensor), mode(how) {}  // NOLINT
  explicit operator bool() const { return static_cast<bool>(to); }
  Sink at(Index index) const { return to ? Sink(to.at(index), mode) : Sink(); }
  Sink reshaped(const Shape& shape) const { return to ? Sink(to.reshaped(shape), mode) : Sink(); }
};

// A matrix of rows with a leading dimension; `transposed` swaps the meaning of rows and columns when it is
// read by matmul. nrows and ncols are those after transposition.
struct ConstMatrix {
  const void* data = nullptr;
  DType dtype = DType::F32;
  Index nrows = 0, ncols = 0, ld = 0;
  bool transposed = false;

  ConstMatrix() = default;
  ConstMatrix(const void* d, DType t, Index rows, Index cols, Index leading)
      : data(d), dtype(t), nrows(rows), ncols(cols), ld(leading) {}
  // Flattens all axes but the last into rows.
  ConstMatrix(const ConstTensor& x);  // NOLINT: a tensor is a matrix of its rows
  ConstMatrix T() const;
  ConstMatrix columns(Index first, Index count) const;  // not of a transposed matrix
  template <class R>
  const R* as() const {
    return static_cast<const R*>(data);
  }
};
std::ostream& operator<<(std::ostream& out, const ConstMatrix& m);

struct Matrix : ConstMatrix {
  Matrix() = default;
  Matrix(void* d, DType t, Index rows, Index cols, Index leading) : ConstMatrix(d, t, rows, cols, leading) {}
  Matrix(const Tensor& x) : ConstMatrix(x) {}  // NOLINT
  Matrix columns(Index first, Index count) const;
  template <class R>
  R* as() const {
    return static_cast<R*>(const_cast<void*>(data));
  }
};

struct MatrixSink {
  Matrix to;
  Write mode = Write::Overwrite;
  MatrixSink(const Matrix& m, Write how = Write::Overwrite) : to(m), mode(how) {}  // NOLINT
  MatrixSink(const Tensor& t, Write how = Write::Overwrite) : to(t), mode(how) {}  // NOLINT
  MatrixSink(const Sink& s) : to(s.to), mode(s.mode) {}                            // NOLINT
};

// All axes but the last as rows: (rows, last).
ConstTensor as_rows(const ConstTensor& x);
Tensor as_rows(const Tensor& x);
Sink as_rows(const Sink& s);
// First `lead` axes as rows, the rest as columns.
ConstTensor flatten(const ConstTensor& x, int lead);
Tensor flatten(const Tensor& x, int lead);
Sink flatten(const Sink& s, int lead);

}  // namespace squall
