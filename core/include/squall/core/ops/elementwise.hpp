// Operations that treat every element alike. Operands have equal numbers of elements; an output may be one of the
// inputs. `Add` sinks accumulate.
#pragma once

#include "squall/core/activation.hpp"
#include "squall/core/handler.hpp"

namespace squall {

enum class Unary : std::uint8_t { Copy, Negate, Abs, Log, Sqrt, Sign, Square, Exp, Reciprocal };
enum class Binary : std::uint8_t { Add, Subtract, Multiply, Divide, Modulo, Maximum, Minimum };  // Modulo: C fmod
// Activations whose derivative needs their input: x P(X <= x) of a normal X (Hendrycks, Gimpel 2016), the same by a
// tanh, x sigmoid(x). From Elu on: formulas/curves.hpp, some with two numbers.
enum class Curve : std::uint8_t {
  Gelu,
  GeluTanh,
  Silu,
  Elu,
  Celu,
  Mish,
  LogSigmoid,
  HardSigmoid,
  HardSwish,
  HardTanh,
  HardShrink,
  SoftShrink,
  SoftPlus,
  SoftSign,
  TanhShrink,
  LeakyRelu,
  Exponential
};
struct CurveNumbers {
  double a = 0, b = 0;
};

class ElementwiseOps : public Facet {
 public:
  void unary(Unary op, const ConstTensor& x, const Sink& out);
  void binary(Binary op, const ConstTensor& a, const ConstTensor& b, const Sink& out);
  void affine(const ConstTensor& x, double scale, double shift, const Sink& out);  // scale x + shift
  void fill(const Tensor& out, double value);
  void clip(const ConstTensor& x, double low, double high, const Sink& out);
  // y = f(x). Not for Softmax, which works on rows (LinalgOps::softmax).
  void activate(Activation f, const ConstTensor& x, const Tensor& y);
  // dx = f'(y) dy
  void activate_back(Activation f, const ConstTensor& y, const ConstTensor& dy, const Sink& dx);
  void curve(Curve f, const ConstTensor& x, const Tensor& y, const CurveNumbers& numbers = {});
  void curve_back(Curve f, const ConstTensor& x, const ConstTensor& dy, const Sink& dx,
                  const CurveNumbers& numbers = {});
  // out = f''(x) dy: what a loss of slopes needs. From y = f(x), or from x.
  void activate_second(Activation f, const ConstTensor& y, const ConstTensor& dy, const Sink& out);
  void curve_second(Curve f, const ConstTensor& x, const ConstTensor& dy, const Sink& out,
                    const CurveNumbers& numbers = {});
  // Where cond != 0 (cond: real, I32 or U8): out = a / out += a / out = value.
  void copy_if(const ConstTensor& a, const ConstTensor& cond, const Tensor& out);
  void add_if(const ConstTensor& a, const ConstTensor& cond, const Tensor& out);
  void fill_if(double value, const ConstTensor& cond, const Tensor& out);
  // out = owner == task ? x : 0. owner: U8.
  void select_owner(const ConstTensor& x, const ConstTensor& owner, std::uint8_t task, const Sink& out);
  // Element type converted (real, I32, U8; reals to integers towards zero).
  void cast(const ConstTensor& x, const Tensor& out);
  bool all_finite(const ConstMatrix& x) { return do_all_finite(x); }  // waits for the result

 protected:
  virtual void do_unary(Unary, const ConstTensor&, const Sink&) = 0;
  virtual void do_binary(Binary, const ConstTensor&, const ConstTensor&, const Sink&) = 0;
  virtual void do_affine(const ConstTensor&, double, double, const Sink&) = 0;
  virtual void do_fill(const Tensor&, double) = 0;
  virtual void do_clip(const ConstTensor&, double, double, const Sink&) = 0;
  virtual void do_activate(Activation, const ConstTensor&, const Tensor&) = 0;
  virtual void do_activate_back(Activation, const ConstTensor&, const ConstTensor&, const Sink&) = 0;
  virtual void do_curve(Curve, const CurveNumbers&, const ConstTensor&, const Tensor&) = 0;
  virtual void do_curve_back(Curve, const CurveNumbers&, const ConstTensor&, const ConstTensor&, const Sink&) = 0;
  virtual void do_activate_second(Activation, const ConstTensor&, const ConstTensor&, const Sink&) = 0;
  virtual void do_curve_second(Curve, const CurveNumbers&, const ConstTensor&, const ConstTensor&, const Sink&) = 0;
  virtual void do_copy_if(const ConstTensor&, const ConstTensor&, const Tensor&) = 0;
  virtual void do_add_if(const ConstTensor&, const ConstTensor&, const Tensor&) = 0;
  virtual void do_fill_if(double, const ConstTensor&, const Tensor&) = 0;
  virtual void do_select_owner(const ConstTensor&, const ConstTensor&, std::uint8_t, const Sink&) = 0;
  virtual void do_cast(const ConstTensor&, const Tensor&) = 0;
  virtual bool do_all_finite(const ConstMatrix&) = 0;
};

std::string_view name_of(Unary op);
std::string_view name_of(Binary op);

}  // namespace squall
