#include "squall/core/ops/linalg.hpp"

#include "compute/checks.hpp"

namespace squall {

using checks::plain;
using checks::real;

namespace {

bool no_elements(const ConstMatrix& m) { return m.nrows == 0 || m.ncols == 0; }

// What a sum over nothing leaves behind.
void put_zeros(const Handler& h, const MatrixSink& c) {
  if (c.mode == Write::Add || no_elements(c.to)) return;
  const auto row_bytes = static_cast<std::size_t>(c.to.ld) * size_of(c.to.dtype);
  const bool contiguous = c.to.ld == c.to.ncols;
  const Index lines = contiguous ? 1 : c.to.nrows;
  const Index line = contiguous ? c.to.nrows * c.to.ncols : c.to.ncols;
  auto* first = c.to.as<std::byte>();
  for (Index i = 0; i < lines; ++i)
    h.elementwise().fill(Tensor(first + static_cast<std::size_t>(i) * row_bytes, c.to.dtype, Shape{line}), 0.0);
}

void same_shape(std::string_view op, std::string_view a_name, const ConstMatrix& a, std::string_view b_name,
                const ConstMatrix& b) {
  SQUALL_CHECK(a.nrows == b.nrows && a.ncols == b.ncols, op, ": ", a_name, " (", a, ") and ", b_name, " (", b,
               ") should have the same shape");
}

void indices(std::string_view op, const ConstTensor& index, Index rows) {
  checks::type(op, "index", index, DType::I32);
  SQUALL_CHECK(index.elements() == rows, op, ": index ", index.shape(), " does not name one place for each of ", rows,
               " rows");
}

}  // namespace

void LinalgOps::matmul(const ConstMatrix& a, const ConstMatrix& b, const MatrixSink& c) {
  if (c.to.data == nullptr) return;
  SQUALL_CHECK(a.ncols == b.nrows && a.nrows == c.to.nrows && b.ncols == c.to.ncols, "matmul: (", a, ") * (", b,
               ") does not give (", c.to, ")");
  real(handler(), "matmul", "left operand", a);
  real(handler(), "matmul", "right operand", b);
  plain(handler(), "matmul", "result", c.to);
  if (no_elements(c.to)) return;
  if (a.ncols == 0) return put_zeros(handler(), c);
  SQUALL_CHECK(c.to.data != a.data && c.to.data != b.data, "matmul: the result (", c.to, ") lies on an operand");
  do_matmul(a, b, c);
  guard("matmul", c.to);
}

void LinalgOps::with_row(Binary op, const ConstMatrix& m, const ConstTensor& v, const MatrixSink& out) {
  if (out.to.data == nullptr) return;
  const auto who = name_of(op);
  same_shape(who, "matrix", m, "result", out.to);
  SQUALL_CHECK(v.elements() == m.ncols, who, ": row ", v.shape(), " does not have the ", m.ncols,
               " columns of matrix (", m, ")");
  plain(handler(), who, "matrix", m);
  plain(handler(), who, "result", out.to);
  real(handler(), who, "row", v);
  if (no_elements(m)) return;
  do_with_row(op, m, v, out);
  guard(who, out.to);
}

void LinalgOps::with_column(Binary op, const ConstMatrix& m, const ConstTensor& v, const MatrixSink& out) {
  if (out.to.data == nullptr) return;
  const auto who = name_of(op);
  same_shape(who, "matrix", m, "result", out.to);
  SQUALL_CHECK(v.elements() == m.nrows, who, ": column ", v.shape(), " does not have the ", m.nrows,
               " rows of matrix (", m, ")");
  plain(handler(), who, "matrix", m);
  plain(handler(), who, "result", out.to);
  real(handler(), who, "column", v);
  if (no_elements(m)) return;
  do_with_column(op, m, v, out);
  guard(who, out.to);
}

void LinalgOps::sum_rows(const ConstMatrix& m, const Sink& out) {
  if (!out) return;
  plain(handler(), "sum_rows", "matrix", m);
  real(handler(), "sum_rows", "result", out.to);
  SQUALL_CHECK(out.to.elements() == m.ncols, "sum_rows: (", m, ") gives ", m.ncols, " sums, not ", out.to.shape());
  if (m.ncols == 0) return;
  if (m.nrows == 0) return put_zeros(handler(), out);
  do_sum_rows(m, out);
  guard("sum_rows", out.to);
}

void LinalgOps::sum_columns(const ConstMatrix& m, const Sink& out) {
  if (!out) return;
  plain(handler(), "sum_columns", "matrix", m);
  real(handler(), "sum_columns", "result", out.to);
  SQUALL_CHECK(out.to.elements() == m.nrows, "sum_columns: (", m, ") gives ", m.nrows, " sums, not ", out.to.shape());
  if (m.nrows == 0) return;
  if (m.ncols == 0) return put_zeros(handler(), out);
  do_sum_columns(m, out);
  guard("sum_columns", out.to);
}

void LinalgOps::sum_all(const ConstTensor& x, const Sink& out) {
  if (!out) return;
  real(handler(), "sum_all", "operand", x);
  real(handler(), "sum_all", "result", out.to);
  SQUALL_CHECK(out.to.elements() == 1, "sum_all: the result should have one element, not ", out.to.shape());
  if (x.elements() == 0) return put_zeros(handler(), out);
  do_sum_all(x, out);
  guard("sum_all", out.to);
}

void LinalgOps::max_columns(const ConstMatrix& m, const Tensor& out) {
  plain(handler(), "max_columns", "matrix", m);
  real(handler(), "max_columns", "result", out);
  SQUALL_CHECK(out.elements() == m.nrows, "max_columns: (", m, ") gives ", m.nrows, " maxima, not ", out.shape());
  if (m.nrows == 0) return;
  SQUALL_CHECK(m.ncols > 0, "max_columns: (", m, ") has no columns");
  do_max_columns(m, out);
  guard("max_columns", out);
}

void LinalgOps::argmax_columns(const ConstMatrix& m, const Tensor& out) {
  plain(handler(), "argmax_columns", "matrix", m);
  checks::type("argmax_columns", "result", out, DType::I32);
  SQUALL_CHECK(out.elements() == m.nrows, "argmax_columns: (", m, ") gives ", m.nrows, " places, not ", out.shape());
  if (m.nrows == 0) return;
  SQUALL_CHECK(m.ncols > 0, "argmax_columns: (", m, ") has no columns");
  do_argmax_columns(m, out);
}

void LinalgOps::softmax(const ConstMatrix& m, const Matrix& out) {
  same_shape("softmax", "matrix", m, "result", out);
  plain(handler(), "softmax", "matrix", m);
  plain(handler(), "softmax", "result", out);
  if (no_elements(m)) return;
  do_softmax(m, out);
  guard("softmax", out);
}

void LinalgOps::softmax_back(const ConstMatrix& y, const ConstMatrix& dy, const MatrixSink& dx) {
  if (dx.to.data == nullptr) return;
  same_shape("softmax_back", "y", y, "dy", dy);
  same_shape("softmax_back", "y", y, "dx", dx.to);
  plain(handler(), "softmax_back", "y", y);
  plain(handler(), "softmax_back", "dy", dy);
  plain(handler(), "softmax_back", "dx", dx.to);
  if (no_elements(y)) return;
  do_softmax_back(y, dy, dx);
  guard("softmax_back", dx.to);
}

void LinalgOps::one_hot(const ConstTensor& index, const Matrix& out) {
  plain(handler(), "one_hot", "result", out);
  indices("one_hot", index, out.nrows);
  if (no_elements(out)) return;
  do_one_hot(index, out);
  guard("one_hot", out);
}

void LinalgOps::pick(const ConstMatrix& m, const ConstTensor& index, const Sink& out) {
  if (!out) return;
  plain(handler(), "pick", "matrix", m);
  real(handler(), "pick", "result", out.to);
  indices("pick", index, m.nrows);
  SQUALL_CHECK(out.to.elements() == m.nrows, "pick: (", m, ") gives ", m.nrows, " elements, not ", out.to.shape());
  if (m.nrows == 0) return;
  SQUALL_CHECK(m.ncols > 0, "pick: (", m, ") has no columns");
  do_pick(m, index, out);
  guard("pick", out.to);
}

void LinalgOps::gather_rows(const ConstMatrix& m, const ConstTensor& index, const MatrixSink& out) {
  if (out.to.data == nullptr) return;
  plain(handler(), "gather_rows", "matrix", m);
  plain(handler(), "gather_rows", "result", out.to);
  indices("gather_rows", index, out.to.nrows);
  SQUALL_CHECK(out.to.ncols == m.ncols, "gather_rows: rows of (", m, ") do not fit those of (", out.to, ")");
  if (no_elements(out.to)) return;
  SQUALL_CHECK(m.nrows > 0, "gather_rows: (", m, ") has no rows");
  do_gather_rows(m, index, out);
  guard("gather_rows", out.to);
}

void LinalgOps::scatter_add_rows(const ConstMatrix& rows, const ConstTensor& index, const Matrix& out) {
  plain(handler(), "scatter_add_rows", "rows", rows);
  plain(handler(), "scatter_add_rows", "result", out);
  indices("scatter_add_rows", index, rows.nrows);
  SQUALL_CHECK(out.ncols == rows.ncols, "scatter_add_rows: rows of (", rows, ") do not fit those of (", out, ")");
  if (no_elements(rows)) return;
  SQUALL_CHECK(out.nrows > 0, "scatter_add_rows: (", out, ") has no rows");
  do_scatter_add_rows(rows, index, out);
  guard("scatter_add_rows", out);
}

void LinalgOps::copy_block(const ConstMatrix& from, const MatrixSink& to) {
  if (to.to.data == nullptr) return;
  same_shape("copy_block", "source", from, "destination", to.to);
  plain(handler(), "copy_block", "source", from);
  plain(handler(), "copy_block", "destination", to.to);
  if (no_elements(from)) return;
  do_copy_block(from, to);
  guard("copy_block", to.to);
}

void LinalgOps::broadcast(const ConstTensor& x, int axis, const Sink& out) {
  if (!out) return;
  real(handler(), "broadcast", "operand", x);
  real(handler(), "broadcast", "result", out.to);
  const Shape& from = x.shape();
  const Shape& to = out.to.shape();
  SQUALL_CHECK(axis >= 0 && axis < from.rank(), "broadcast: operand ", from, " has no axis ", axis);
  const bool fits = from[axis] == 1 && from.rank() == to.rank() && from.until(axis) == to.until(axis) &&
                    from.from(axis + 1) == to.from(axis + 1);
  SQUALL_CHECK(fits, "broadcast: operand ", from, " should be the result ", to, " with 1 as axis ", axis);
  if (to.elements() == 0) return;
  SQUALL_CHECK(x.data() != out.to.data(), "broadcast: the result ", to, " lies on the operand");
  const Index inner = from.from(axis + 1).elements();
  do_broadcast(ConstMatrix(x.data(), x.dtype(), from.elements() / inner, inner, inner), to[axis], out);
  guard("broadcast", out.to);
}

}  // namespace squall
