#include "compute/checks.hpp"

namespace squall::checks {

namespace {

void real_type(const Handler& h, std::string_view op, std::string_view what, DType have) {
  SQUALL_CHECK(have == h.dtype(), op, ": ", what, " is ", name_of(have), ", but ", h.name(), " computes in ",
               name_of(h.dtype()));
}

}  // namespace

void present(std::string_view op, std::string_view what, const ConstTensor& x) {
  SQUALL_CHECK(x || x.elements() == 0, op, ": ", what, " of shape ", x.shape(), " has no memory");
}

void type(std::string_view op, std::string_view what, const ConstTensor& x, DType wanted) {
  SQUALL_CHECK(x.dtype() == wanted || x.elements() == 0, op, ": ", what, " is ", name_of(x.dtype()), ", should be ",
               name_of(wanted));
  present(op, what, x);
}

void real(const Handler& h, std::string_view op, std::string_view what, const ConstTensor& x) {
  if (x.elements() == 0) return;
  real_type(h, op, what, x.dtype());
  present(op, what, x);
}

void real(const Handler& h, std::string_view op, std::string_view what, const ConstMatrix& m) {
  SQUALL_CHECK(m.nrows >= 0 && m.ncols >= 0, op, ": ", what, " has a negative extent (", m, ")");
  if (m.nrows == 0 || m.ncols == 0) return;
  SQUALL_CHECK(m.data != nullptr, op, ": ", what, " is missing");
  real_type(h, op, what, m.dtype);
  const Index lines = m.transposed ? m.ncols : m.nrows;
  const Index line = m.transposed ? m.nrows : m.ncols;
  SQUALL_CHECK(m.ld >= line || lines == 1, op, ": leading dimension ", m.ld, " of ", what, " is less than its ", line,
               " columns");
}

void plain(const Handler& h, std::string_view op, std::string_view what, const ConstMatrix& m) {
  real(h, op, what, m);
  SQUALL_CHECK(!m.transposed, op, ": ", what, " (", m, ") is a transposed view, which only matmul reads");
}

void same_size(std::string_view op, std::string_view a_name, const ConstTensor& a, std::string_view b_name,
               const ConstTensor& b) {
  SQUALL_CHECK(a.elements() == b.elements(), op, ": ", a_name, " ", a.shape(), " and ", b_name, " ", b.shape(),
               " should have equal numbers of elements");
}

void size(std::string_view op, std::string_view what, const ConstTensor& x, Index wanted) {
  SQUALL_CHECK(x.elements() == wanted, op, ": ", what, " ", x.shape(), " has ", x.elements(), " elements, should have ",
               wanted);
}

bool fits(const ConstTensor& x, const Shape& wanted) {
  Index total = 1;
  for (const Index w : wanted.extents()) total *= w;
  if (total != x.elements()) return false;
  if (total == 0) return true;
  int axis = 0;
  for (const Index w : wanted.extents()) {
    Index product = 1;
    while (axis < x.shape().rank() && product < w) product *= x.shape()[axis++];
    if (product != w) return false;
  }
  return true;  // what is left are ones, as the totals agree
}

void operand(std::string_view op, std::string_view what, const ConstTensor& x, const Shape& wanted, DType dtype) {
  if (x && x.dtype() == dtype && x.shape() == wanted) return;  // nearly always, and in small networks it counts
  SQUALL_CHECK(x || wanted.elements() == 0, op, ": ", what, " ", wanted, " is missing");
  SQUALL_CHECK(fits(x, wanted), op, ": ", what, " is ", x.shape(), ", should be ", wanted);
  type(op, what, x, dtype);
}

void optional(std::string_view op, std::string_view what, const ConstTensor& x, const Shape& wanted, DType dtype) {
  if (x) operand(op, what, x, wanted, dtype);
}

void extent(std::string_view op, std::string_view what, Index value) {
  SQUALL_CHECK(value >= 0, op, ": ", what, " is ", value, ", should not be negative");
}

}  // namespace squall::checks
