#include "compute/weights.hpp"

namespace squall::checks {

void packed(std::string_view op, const PackedWeight* w, Index rows, Index columns) {
  if (w == nullptr) return;
  SQUALL_CHECK(w->rows == rows && w->columns == columns, op, ": the packed weight is ", w->rows, "x", w->columns,
               ", should be ", rows, "x", columns);
  w->check();
}

void pattern(std::string_view op, const SparsePattern* p, const PackedWeight* packed, Index rows, Index columns) {
  if (p == nullptr) return;
  SQUALL_CHECK(packed == nullptr, op, ": a weight is either packed or has a pattern of entries, not both");
  SQUALL_CHECK(p->rows == rows && p->columns == columns, op, ": the pattern of the weight is ", p->rows, "x",
               p->columns, ", should be ", rows, "x", columns);
  p->check();
}

Shape weight_shape(const SparsePattern* pattern, const Shape& dense) {
  return pattern != nullptr ? Shape{pattern->kept()} : dense;
}

void weight(std::string_view op, const PackedWeight* planned, const WeightRef& w, const Shape& wanted, DType dtype) {
  if (planned == nullptr) return operand(op, "W", w.values, wanted, dtype);
  SQUALL_CHECK(w.packed == planned || w.packed == nullptr, op, ": the plan was made for another packed weight");
}

void bias(std::string_view op, std::string_view what, bool planned, const ConstTensor& b, Index size, DType dtype) {
  if (planned) return operand(op, what, b, {size}, dtype);
  SQUALL_CHECK(!b, op, ": ", what, " ", b.shape(), " is given to a plan without bias");
}

}  // namespace squall::checks
