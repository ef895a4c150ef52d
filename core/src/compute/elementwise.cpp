#include "squall/core/ops/elementwise.hpp"

#include "compute/checks.hpp"

namespace squall {

using checks::real;
using checks::same_size;

namespace {

void condition(const Handler& h, std::string_view op, const ConstTensor& cond, const Tensor& out) {
  if (is_real(cond.dtype())) real(h, op, "condition", cond);
  checks::present(op, "condition", cond);
  same_size(op, "condition", cond, "result", out);
}

void not_softmax(std::string_view op, Activation f) {
  SQUALL_CHECK(f != Activation::Softmax, op, ": softmax works on rows, not on elements; use softmax of a matrix");
}

}  // namespace

std::string_view name_of(Unary op) {
  switch (op) {
    case Unary::Copy: return "copy";
    case Unary::Negate: return "negate";
    case Unary::Abs: return "abs";
    case Unary::Log: return "log";
    case Unary::Sqrt: return "sqrt";
    case Unary::Sign: return "sign";
    case Unary::Square: return "square";
    case Unary::Exp: return "exp";
    case Unary::Reciprocal: return "reciprocal";
  }
  return "unary";
}

std::string_view name_of(Binary op) {
  switch (op) {
    case Binary::Add: return "add";
    case Binary::Subtract: return "subtract";
    case Binary::Multiply: return "multiply";
    case Binary::Divide: return "divide";
    case Binary::Modulo: return "modulo";
    case Binary::Maximum: return "maximum";
    case Binary::Minimum: return "minimum";
  }
  return "binary";
}

void ElementwiseOps::unary(Unary op, const ConstTensor& x, const Sink& out) {
  if (!out) return;
  const auto who = name_of(op);
  same_size(who, "operand", x, "result", out.to);
  real(handler(), who, "operand", x);
  real(handler(), who, "result", out.to);
  if (x.elements() == 0) return;
  do_unary(op, x, out);
  guard(who, out.to);
}

void ElementwiseOps::binary(Binary op, const ConstTensor& a, const ConstTensor& b, const Sink& out) {
  if (!out) return;
  const auto who = name_of(op);
  same_size(who, "operand", a, "operand", b);
  same_size(who, "operand", a, "result", out.to);
  real(handler(), who, "first operand", a);
  real(handler(), who, "second operand", b);
  real(handler(), who, "result", out.to);
  if (a.elements() == 0) return;
  do_binary(op, a, b, out);
  guard(who, out.to);
}

void ElementwiseOps::affine(const ConstTensor& x, double scale, double shift, const Sink& out) {
  if (!out) return;
  same_size("affine", "operand", x, "result", out.to);
  real(handler(), "affine", "operand", x);
  real(handler(), "affine", "result", out.to);
  if (x.elements() == 0) return;
  do_affine(x, scale, shift, out);
  guard("affine", out.to);
}

void ElementwiseOps::fill(const Tensor& out, double value) {
  real(handler(), "fill", "result", out);
  if (out.elements() == 0) return;
  do_fill(out, value);
  guard("fill", out);
}

void ElementwiseOps::clip(const ConstTensor& x, double low, double high, const Sink& out) {
  if (!out) return;
  same_size("clip", "operand", x, "result", out.to);
  real(handler(), "clip", "operand", x);
  real(handler(), "clip", "result", out.to);
  SQUALL_CHECK(low <= high, "clip: lower limit ", low, " is above upper limit ", high);
  if (x.elements() == 0) return;
  do_clip(x, low, high, out);
  guard("clip", out.to);
}

void ElementwiseOps::activate(Activation f, const ConstTensor& x, const Tensor& y) {
  not_softmax("activate", f);
  same_size("activate", "x", x, "y", y);
  real(handler(), "activate", "x", x);
  real(handler(), "activate", "y", y);
  if (x.elements() == 0) return;
  do_activate(f, x, y);
  guard("activate", y);
}

void ElementwiseOps::activate_back(Activation f, const ConstTensor& y, const ConstTensor& dy, const Sink& dx) {
  if (!dx) return;
  not_softmax("activate_back", f);
  same_size("activate_back", "y", y, "dy", dy);
  same_size("activate_back", "y", y, "dx", dx.to);
  real(handler(), "activate_back", "y", y);
  real(handler(), "activate_back", "dy", dy);
  real(handler(), "activate_back", "dx", dx.to);
  if (y.elements() == 0) return;
  do_activate_back(f, y, dy, dx);
  guard("activate_back", dx.to);
}

void ElementwiseOps::curve(Curve f, const ConstTensor& x, const Tensor& y, const CurveNumbers& numbers) {
  same_size("curve", "x", x, "y", y);
  real(handler(), "curve", "x", x);
  real(handler(), "curve", "y", y);
  if (x.elements() == 0) return;
  do_curve(f, numbers, x, y);
  guard("curve", y);
}

void ElementwiseOps::curve_back(Curve f, const ConstTensor& x, const ConstTensor& dy, const Sink& dx,
                                const CurveNumbers& numbers) {
  if (!dx) return;
  same_size("curve_back", "x", x, "dy", dy);
  same_size("curve_back", "x", x, "dx", dx.to);
  real(handler(), "curve_back", "x", x);
  real(handler(), "curve_back", "dy", dy);
  real(handler(), "curve_back", "dx", dx.to);
  if (x.elements() == 0) return;
  do_curve_back(f, numbers, x, dy, dx);
  guard("curve_back", dx.to);
}

void ElementwiseOps::activate_second(Activation f, const ConstTensor& y, const ConstTensor& dy, const Sink& out) {
  if (!out) return;
  not_softmax("activate_second", f);
  same_size("activate_second", "y", y, "dy", dy);
  same_size("activate_second", "y", y, "out", out.to);
  real(handler(), "activate_second", "y", y);
  real(handler(), "activate_second", "dy", dy);
  real(handler(), "activate_second", "out", out.to);
  if (y.elements() == 0) return;
  do_activate_second(f, y, dy, out);
  guard("activate_second", out.to);
}

void ElementwiseOps::curve_second(Curve f, const ConstTensor& x, const ConstTensor& dy, const Sink& out,
                                  const CurveNumbers& numbers) {
  if (!out) return;
  same_size("curve_second", "x", x, "dy", dy);
  same_size("curve_second", "x", x, "out", out.to);
  real(handler(), "curve_second", "x", x);
  real(handler(), "curve_second", "dy", dy);
  real(handler(), "curve_second", "out", out.to);
  if (x.elements() == 0) return;
  do_curve_second(f, numbers, x, dy, out);
  guard("curve_second", out.to);
}

void ElementwiseOps::copy_if(const ConstTensor& a, const ConstTensor& cond, const Tensor& out) {
  same_size("copy_if", "operand", a, "result", out);
  condition(handler(), "copy_if", cond, out);
  real(handler(), "copy_if", "operand", a);
  real(handler(), "copy_if", "result", out);
  if (out.elements() == 0) return;
  do_copy_if(a, cond, out);
  guard("copy_if", out);
}

void ElementwiseOps::add_if(const ConstTensor& a, const ConstTensor& cond, const Tensor& out) {
  same_size("add_if", "operand", a, "result", out);
  condition(handler(), "add_if", cond, out);
  real(handler(), "add_if", "operand", a);
  real(handler(), "add_if", "result", out);
  if (out.elements() == 0) return;
  do_add_if(a, cond, out);
  guard("add_if", out);
}

void ElementwiseOps::fill_if(double value, const ConstTensor& cond, const Tensor& out) {
  condition(handler(), "fill_if", cond, out);
  real(handler(), "fill_if", "result", out);
  if (out.elements() == 0) return;
  do_fill_if(value, cond, out);
  guard("fill_if", out);
}

void ElementwiseOps::select_owner(const ConstTensor& x, const ConstTensor& owner, std::uint8_t task, const Sink& out) {
  if (!out) return;
  same_size("select_owner", "operand", x, "owner", owner);
  same_size("select_owner", "operand", x, "result", out.to);
  checks::type("select_owner", "owner", owner, DType::U8);
  real(handler(), "select_owner", "operand", x);
  real(handler(), "select_owner", "result", out.to);
  if (x.elements() == 0) return;
  do_select_owner(x, owner, task, out);
  guard("select_owner", out.to);
}

void ElementwiseOps::cast(const ConstTensor& x, const Tensor& out) {
  same_size("cast", "operand", x, "result", out);
  checks::present("cast", "operand", x);
  checks::present("cast", "result", out);
  if (x.elements() == 0) return;
  do_cast(x, out);
  if (out.dtype() == handler().dtype()) guard("cast", out);
}

}  // namespace squall
