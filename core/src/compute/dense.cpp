#include "squall/core/ops/dense.hpp"

#include "compute/checks.hpp"
#include "compute/weights.hpp"
#include "reference/reference.hpp"
#include "squall/core/gradient_taker.hpp"

namespace squall {

namespace {

void check_spec(const DenseSpec& s) {
  checks::extent("dense", "number of rows", s.rows);
  checks::extent("dense", "number of inputs", s.in);
  checks::extent("dense", "number of outputs", s.out);
  checks::packed("dense", s.packed, s.out, s.in);
  checks::pattern("dense", s.pattern, s.packed, s.out, s.in);
}

Shape weight_of(const DenseSpec& s) { return checks::weight_shape(s.pattern, {s.out, s.in}); }

DenseSpec without_pattern(DenseSpec s) {
  s.pattern = nullptr;
  return s;
}

}  // namespace

void DensePlan::forward(const ConstTensor& x, const WeightRef& w, const ConstTensor& b, const Tensor& y) {
  const DenseSpec& s = spec_;
  const DType t = y.dtype();
  checks::operand("dense forward", "y", y, {s.rows, s.out}, t);
  checks::operand("dense forward", "x", x, {s.rows, s.in}, t);
  checks::weight("dense forward", s.packed, w, weight_of(s), t);
  checks::bias("dense forward", "bias", s.bias, b, s.out, t);
  if (y.elements() == 0) return;
  do_forward(x, w, b, y);
  guard("dense forward", y);
}

void DensePlan::backward(const ConstTensor& x, const WeightRef& w, const ConstTensor& y, const Tensor& dy,
                         const Sink& dx, const Sink& dw, const Sink& db) {
  const DenseSpec& s = spec_;
  const DType t = dy.dtype();
  SQUALL_CHECK(s.packed == nullptr || !dw, "dense backward: a packed weight is for inference, it has no gradient");
  checks::operand("dense backward", "dy", dy, {s.rows, s.out}, t);
  checks::operand("dense backward", "y", y, {s.rows, s.out}, t);
  checks::operand("dense backward", "x", x, {s.rows, s.in}, t);
  checks::weight("dense backward", s.packed, w, weight_of(s), t);
  checks::optional("dense backward", "dx", dx.to, {s.rows, s.in}, t);
  checks::optional("dense backward", "dW", dw.to, weight_of(s), t);
  if (db) checks::bias("dense backward", "dbias", s.bias, db.to, s.out, t);
  if (!dx && !dw && !db) return;
  do_backward(x, w, y, dy, dx, dw, db);
  guard("dense backward: dx", dx.to);
  if (dw.taker == nullptr || !dw.taker->complete()) guard("dense backward: dW", dw.to);
  guard("dense backward: dbias", db.to);
}

std::unique_ptr<DensePlan> DenseOps::plan(const DenseSpec& spec) {
  check_spec(spec);
  const bool nothing = spec.rows == 0 || spec.in == 0 || spec.out == 0;  // no need for a fast path
  auto made = nothing ? nullptr : do_plan(spec);
  if (!made && !nothing && spec.pattern != nullptr)
    made = make_spread_dense(handler(), spec, plan(without_pattern(spec)));
  if (!made) return reference(spec);
  made->set_guard(op_guard());
  return made;
}

std::unique_ptr<DensePlan> DenseOps::reference(const DenseSpec& spec) {
  check_spec(spec);
  auto made = spec.pattern == nullptr ? make_dense_reference(handler(), spec)
                                      : make_spread_dense(handler(), spec, reference(without_pattern(spec)));
  made->set_guard(op_guard());
  return made;
}

}  // namespace squall
