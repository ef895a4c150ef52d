// Elementwise operations: one thread for each element.
#include "cuda/facets.hpp"
#include "cuda/grid.hpp"
#include "cuda/kernels/math.hpp"
#include "squall/core/ops/second_derivatives.hpp"

namespace squall::cuda::SQUALL_GRID {

namespace {

template <class R>
struct UnaryKernel {
  const R* x;
  R* out;
  Unary op;
  bool add;
  SQUALL_HD void operator()(Index i) const { put(out + i, apply(op, x[i]), add); }
};
template <class R>
struct BinaryKernel {
  const R *a, *b;
  R* out;
  Binary op;
  bool add;
  SQUALL_HD void operator()(Index i) const { put(out + i, apply(op, a[i], b[i]), add); }
};
template <class R>
struct AffineKernel {
  const R* x;
  R* out;
  R scale, shift;
  bool add;
  SQUALL_HD void operator()(Index i) const { put(out + i, scale * x[i] + shift, add); }
};
template <class R>
struct FillKernel {
  R* out;
  R value;
  SQUALL_HD void operator()(Index i) const { out[i] = value; }
};
template <class R>
struct ClipKernel {
  const R* x;
  R* out;
  R low, high;
  bool add;
  SQUALL_HD void operator()(Index i) const {
    const R raised = x[i] < low ? low : x[i];
    put(out + i, raised > high ? high : raised, add);
  }
};
template <class R>
struct ActivateKernel {
  const R* x;
  R* y;
  Activation f;
  SQUALL_HD void operator()(Index i) const { y[i] = apply(f, x[i]); }
};
template <class R>
struct ActivateBackKernel {
  const R *y, *dy;
  R* dx;
  Activation f;
  bool add;
  SQUALL_HD void operator()(Index i) const { put(dx + i, apply_back(f, y[i], dy[i]), add); }
};
template <class R>
struct CurveKernel {
  const R* x;
  R* y;
  R a, b;
  Curve f;
  SQUALL_HD void operator()(Index i) const { y[i] = curve_at<false>(f, a, b, x[i]); }
};
template <class R>
struct CurveBackKernel {
  const R *x, *dy;
  R* dx;
  R a, b;
  Curve f;
  bool add;
  SQUALL_HD void operator()(Index i) const { put(dx + i, curve_at<true>(f, a, b, x[i]) * dy[i], add); }
};
template <class R>
struct ActivateSecondKernel {
  const R *y, *dy;
  R* out;
  Activation f;
  bool add;
  SQUALL_HD void operator()(Index i) const { put(out + i, formulas::activation_second(f, y[i]) * dy[i], add); }
};
template <class R>
struct CurveSecondKernel {
  const R *x, *dy;
  R* out;
  R a, b;
  Curve f;
  bool add;
  SQUALL_HD void operator()(Index i) const { put(out + i, formulas::curve_second(f, a, b, x[i]) * dy[i], add); }
};

enum class Where : std::uint8_t { Copy, Add, Fill };
template <class R, class C>
struct WhereKernel {
  const R* from;
  const C* condition;
  R* out;
  R value;
  Where what;
  SQUALL_HD void operator()(Index i) const {
    if (condition[i] == C(0)) return;
    out[i] = what == Where::Fill ? value : (what == Where::Copy ? from[i] : out[i] + from[i]);
  }
};
template <class R>
struct OwnerKernel {
  const R* x;
  const std::uint8_t* owner;
  R* out;
  std::uint8_t task;
  bool add;
  SQUALL_HD void operator()(Index i) const { put(out + i, owner[i] == task ? x[i] : R(0), add); }
};

// Every element type goes through double, which holds all their values.
SQUALL_HD inline double read_as(const void* x, DType type, Index i) {
  switch (type) {
    case DType::F32: return static_cast<double>(static_cast<const float*>(x)[i]);
    case DType::F64: return static_cast<const double*>(x)[i];
    case DType::I32: return static_cast<double>(static_cast<const std::int32_t*>(x)[i]);
    case DType::U8: return static_cast<double>(static_cast<const std::uint8_t*>(x)[i]);
  }
  return 0;
}
// Towards zero, kept inside the range; NaN gives 0.
SQUALL_HD inline double bounded(double x, double low, double high) {
  if (x != x) return 0;
  return x < low ? low : (x > high ? high : x);
}
struct CastKernel {
  const void* x;
  void* out;
  DType from, to;
  SQUALL_HD void operator()(Index i) const {
    const double v = read_as(x, from, i);
    switch (to) {
      case DType::F32: static_cast<float*>(out)[i] = static_cast<float>(v); break;
      case DType::F64: static_cast<double*>(out)[i] = v; break;
      case DType::I32:
        static_cast<std::int32_t*>(out)[i] = static_cast<std::int32_t>(bounded(v, -2147483648.0, 2147483647.0));
        break;
      case DType::U8: static_cast<std::uint8_t*>(out)[i] = static_cast<std::uint8_t>(bounded(v, 0.0, 255.0)); break;
    }
  }
};
// Writers all write the same.
struct FiniteKernel {
  const void* x;
  std::int32_t* bad;
  Index columns, ld;
  DType type;
  SQUALL_HD void operator()(Index i) const {
    const double v = read_as(x, type, i / columns * ld + i % columns);
    if (!(v - v == 0.0)) *bad = 1;
  }
};

template <class R>
class GridElementwise final : public ElementwiseOps {
 public:
  explicit GridElementwise(ContextPtr ctx) : ctx_(std::move(ctx)) {}

 protected:
  void do_unary(Unary op, const ConstTensor& x, const Sink& out) override {
    if (op == Unary::Copy && out.mode == Write::Overwrite) return ctx_->copy(x.data(), out.to.data(), x.bytes());
    each(*ctx_, x.elements(), UnaryKernel<R>{x.as<R>(), out.to.as<R>(), op, add(out)});
  }
  void do_binary(Binary op, const ConstTensor& a, const ConstTensor& b, const Sink& out) override {
    each(*ctx_, a.elements(), BinaryKernel<R>{a.as<R>(), b.as<R>(), out.to.as<R>(), op, add(out)});
  }
  void do_affine(const ConstTensor& x, double scale, double shift, const Sink& out) override {
    each(*ctx_, x.elements(),
         AffineKernel<R>{x.as<R>(), out.to.as<R>(), static_cast<R>(scale), static_cast<R>(shift), add(out)});
  }
  void do_fill(const Tensor& out, double value) override {
    each(*ctx_, out.elements(), FillKernel<R>{out.as<R>(), static_cast<R>(value)});
  }
  void do_clip(const ConstTensor& x, double low, double high, const Sink& out) override {
    each(*ctx_, x.elements(),
         ClipKernel<R>{x.as<R>(), out.to.as<R>(), static_cast<R>(low), static_cast<R>(high), add(out)});
  }
  void do_activate(Activation f, const ConstTensor& x, const Tensor& y) override {
    each(*ctx_, x.elements(), ActivateKernel<R>{x.as<R>(), y.as<R>(), f});
  }
  void do_activate_back(Activation f, const ConstTensor& y, const ConstTensor& dy, const Sink& dx) override {
    each(*ctx_, y.elements(), ActivateBackKernel<R>{y.as<R>(), dy.as<R>(), dx.to.as<R>(), f, add(dx)});
  }
  void do_curve(Curve f, const CurveNumbers& n, const ConstTensor& x, const Tensor& y) override {
    each(*ctx_, x.elements(), CurveKernel<R>{x.as<R>(), y.as<R>(), static_cast<R>(n.a), static_cast<R>(n.b), f});
  }
  void do_curve_back(Curve f, const CurveNumbers& n, const ConstTensor& x, const ConstTensor& dy,
                     const Sink& dx) override {
    each(
        *ctx_, x.elements(),
        CurveBackKernel<R>{x.as<R>(), dy.as<R>(), dx.to.as<R>(), static_cast<R>(n.a), static_cast<R>(n.b), f, add(dx)});
  }
  void do_activate_second(Activation f, const ConstTensor& y, const ConstTensor& dy, const Sink& out) override {
    each(*ctx_, y.elements(), ActivateSecondKernel<R>{y.as<R>(), dy.as<R>(), out.to.as<R>(), f, add(out)});
  }
  void do_curve_second(Curve f, const CurveNumbers& n, const ConstTensor& x, const ConstTensor& dy,
                       const Sink& out) override {
    each(*ctx_, x.elements(),
         CurveSecondKernel<R>{x.as<R>(), dy.as<R>(), out.to.as<R>(), static_cast<R>(n.a), static_cast<R>(n.b), f,
                              add(out)});
  }
  void do_copy_if(const ConstTensor& a, const ConstTensor& cond, const Tensor& out) override {
    where(Where::Copy, a.as<R>(), 0, cond, out);
  }
  void do_add_if(const ConstTensor& a, const ConstTensor& cond, const Tensor& out) override {
    where(Where::Add, a.as<R>(), 0, cond, out);
  }
  void do_fill_if(double value, const ConstTensor& cond, const Tensor& out) override {
    where(Where::Fill, nullptr, value, cond, out);
  }
  void do_select_owner(const ConstTensor& x, const ConstTensor& owner, std::uint8_t task, const Sink& out) override {
    each(*ctx_, x.elements(), OwnerKernel<R>{x.as<R>(), owner.as<std::uint8_t>(), out.to.as<R>(), task, add(out)});
  }
  void do_cast(const ConstTensor& x, const Tensor& out) override {
    each(*ctx_, x.elements(), CastKernel{x.data(), out.data(), x.dtype(), out.dtype()});
  }
  bool do_all_finite(const ConstMatrix& x) override {
    const Index rows = x.transposed ? x.ncols : x.nrows;
    const Index columns = x.transposed ? x.nrows : x.ncols;
    std::int32_t bad = 0;
    ctx_->zero(ctx_->flag(), sizeof bad);
    each(*ctx_, rows * columns, FiniteKernel{x.data, ctx_->flag(), columns, x.ld, x.dtype});
    ctx_->download(ctx_->flag(), &bad, sizeof bad);
    return bad == 0;
  }

 private:
  static bool add(const Sink& s) { return s.mode == Write::Add; }
  void where(Where what, const R* from, double value, const ConstTensor& cond, const Tensor& out) {
    const Index n = out.elements();
    R* to = out.as<R>();
    const R v = static_cast<R>(value);
    switch (cond.dtype()) {
      case DType::I32: return each(*ctx_, n, WhereKernel<R, std::int32_t>{from, cond.as<std::int32_t>(), to, v, what});
      case DType::U8: return each(*ctx_, n, WhereKernel<R, std::uint8_t>{from, cond.as<std::uint8_t>(), to, v, what});
      case DType::F32:
      case DType::F64: return each(*ctx_, n, WhereKernel<R, R>{from, cond.as<R>(), to, v, what});
    }
  }
  ContextPtr ctx_;
};

}  // namespace

template <class R>
std::unique_ptr<ElementwiseOps> make_elementwise(ContextPtr ctx) {
  return std::make_unique<GridElementwise<R>>(std::move(ctx));
}
SQUALL_GRID_MAKER(ElementwiseOps, make_elementwise);

}  // namespace squall::cuda::SQUALL_GRID
