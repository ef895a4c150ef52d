// Elementwise operations: pieces of fixed size handed to the kernels of the instruction set.
#include <atomic>
#include <cmath>
#include <limits>

#include "cpu/facets.hpp"
#include "squall/core/ops/curve_formulas.hpp"
#include "squall/core/ops/second_derivatives.hpp"

namespace squall::cpu {

namespace {

static_assert(at(Unary::Reciprocal) + 1 == kUnaries && at(Binary::Minimum) + 1 == kBinaries &&
              at(Activation::El) + 1 == kActivations && at(Curve::Silu) + 1 == kCurves && at(Unary::Exp) == 7 &&
              at(Binary::Modulo) == 4 && at(Activation::Tanh) == 2 && at(Write::Add) == 1);

constexpr Index kSlow = 8;  // cost of a transcendental function in additions

Index cost_of(Unary op) { return op == Unary::Log || op == Unary::Exp ? kSlow : 1; }
Index cost_of(Binary op) { return op == Binary::Modulo ? kSlow : 1; }
Index cost_of(Activation f) { return f == Activation::Linear || f == Activation::Rel ? 1 : kSlow; }

// Defined for every number: towards zero, kept inside the range of the target, NaN gives 0.
template <class To, class From>
To convert(From x) {
  if constexpr (std::is_floating_point_v<To>) {
    return static_cast<To>(x);
  } else {
    constexpr auto low = static_cast<double>(std::numeric_limits<To>::min());
    constexpr auto high = static_cast<double>(std::numeric_limits<To>::max());
    const auto wide = static_cast<double>(x);
    return wide != wide ? To{0} : static_cast<To>(std::min(std::max(wide, low), high));
  }
}

template <class R>
class CpuElementwise final : public ElementwiseOps {
 public:
  explicit CpuElementwise(ContextPtr<R> ctx) : ctx_(std::move(ctx)) {}

 protected:
  void do_unary(Unary op, const ConstTensor& x, const Sink& out) override {
    const auto kernel = k().unary[at(op)][at(out.mode)];
    const R* in = x.as<R>();
    R* to = out.to.as<R>();
    pieces(x.elements(), cost_of(op), [=](Index i, Index n) { kernel(n, in + i, to + i); });
  }
  void do_binary(Binary op, const ConstTensor& a, const ConstTensor& b, const Sink& out) override {
    const auto kernel = k().binary[at(op)][at(out.mode)];
    const R* left = a.as<R>();
    const R* right = b.as<R>();
    R* to = out.to.as<R>();
    pieces(a.elements(), cost_of(op), [=](Index i, Index n) { kernel(n, left + i, right + i, to + i); });
  }
  void do_affine(const ConstTensor& x, double scale, double shift, const Sink& out) override {
    const auto kernel = k().affine[at(out.mode)];
    const R* in = x.as<R>();
    R* to = out.to.as<R>();
    pieces(x.elements(), 1,
           [=](Index i, Index n) { kernel(n, in + i, static_cast<R>(scale), static_cast<R>(shift), to + i); });
  }
  void do_fill(const Tensor& out, double value) override {
    visit_dtype(out.dtype(), [&](auto zero) {
      using T = decltype(zero);
      T* to = out.as<T>();
      const T v = convert<T>(value);
      pieces(out.elements(), 1, [=](Index i, Index n) { std::fill_n(to + i, n, v); });
    });
  }
  void do_clip(const ConstTensor& x, double low, double high, const Sink& out) override {
    const auto kernel = k().clip[at(out.mode)];
    const R* in = x.as<R>();
    R* to = out.to.as<R>();
    pieces(x.elements(), 1,
           [=](Index i, Index n) { kernel(n, in + i, static_cast<R>(low), static_cast<R>(high), to + i); });
  }
  void do_activate(Activation f, const ConstTensor& x, const Tensor& y) override {
    const auto kernel = k().activate[at(f)];
    const R* in = x.as<R>();
    R* to = y.as<R>();
    pieces(x.elements(), cost_of(f), [=](Index i, Index n) { kernel(n, in + i, to + i); });
  }
  void do_activate_back(Activation f, const ConstTensor& y, const ConstTensor& dy, const Sink& dx) override {
    const auto kernel = k().activate_back[at(f)][at(dx.mode)];
    const R* out = y.as<R>();
    const R* delta = dy.as<R>();
    R* to = dx.to.as<R>();
    pieces(y.elements(), 1, [=](Index i, Index n) { kernel(n, out + i, delta + i, to + i); });
  }
  void do_curve(Curve f, const CurveNumbers& numbers, const ConstTensor& x, const Tensor& y) override {
    const R* in = x.as<R>();
    R* to = y.as<R>();
    if (at(f) < kCurves) {
      const auto kernel = k().curve[at(f)];
      return pieces(x.elements(), kSlow, [=](Index i, Index n) { kernel(n, in + i, to + i); });
    }
    formulas::visit_curve<R>(f, numbers, [&](auto curve) {
      pieces(x.elements(), kSlow, [=](Index first, Index n) {
        for (Index i = first; i < first + n; ++i) to[i] = curve.value(in[i]);
      });
    });
  }
  void do_curve_back(Curve f, const CurveNumbers& numbers, const ConstTensor& x, const ConstTensor& dy,
                     const Sink& dx) override {
    const R* in = x.as<R>();
    const R* delta = dy.as<R>();
    R* to = dx.to.as<R>();
    if (at(f) < kCurves) {
      const auto kernel = k().curve_back[at(f)][at(dx.mode)];
      return pieces(x.elements(), kSlow, [=](Index i, Index n) { kernel(n, in + i, delta + i, to + i); });
    }
    const bool add = dx.mode == Write::Add;
    formulas::visit_curve<R>(f, numbers, [&](auto curve) {
      pieces(x.elements(), kSlow, [=](Index first, Index n) {
        for (Index i = first; i < first + n; ++i) {
          const R d = curve.slope(in[i]) * delta[i];
          to[i] = add ? to[i] + d : d;
        }
      });
    });
  }
  void do_activate_second(Activation f, const ConstTensor& y, const ConstTensor& dy, const Sink& out) override {
    second(y, dy, out, 1, [f](R v) { return formulas::activation_second(f, v); });
  }
  void do_curve_second(Curve f, const CurveNumbers& numbers, const ConstTensor& x, const ConstTensor& dy,
                       const Sink& out) override {
    const R a = static_cast<R>(numbers.a), b = static_cast<R>(numbers.b);
    second(x, dy, out, kSlow, [f, a, b](R v) { return formulas::curve_second(f, a, b, v); });
  }
  void do_copy_if(const ConstTensor& a, const ConstTensor& cond, const Tensor& out) override {
    where(cond, out, [&a](auto zero) {
      const auto* from = a.as<decltype(zero)>();
      return [from](Index i, auto& to) { to = from[i]; };
    });
  }
  void do_add_if(const ConstTensor& a, const ConstTensor& cond, const Tensor& out) override {
    where(cond, out, [&a](auto zero) {
      using T = decltype(zero);
      const T* from = a.as<T>();
      return [from](Index i, T& to) { to = static_cast<T>(to + from[i]); };
    });
  }
  void do_fill_if(double value, const ConstTensor& cond, const Tensor& out) override {
    where(cond, out, [value](auto zero) {
      const auto v = convert<decltype(zero)>(value);
      return [v](Index, auto& to) { to = v; };
    });
  }
  void do_select_owner(const ConstTensor& x, const ConstTensor& owner, std::uint8_t task, const Sink& out) override {
    const auto kernel = k().select_owner[at(out.mode)];
    const R* in = x.as<R>();
    const auto* owners = owner.as<std::uint8_t>();
    R* to = out.to.as<R>();
    pieces(x.elements(), 1, [=](Index i, Index n) { kernel(n, in + i, owners + i, task, to + i); });
  }
  void do_cast(const ConstTensor& x, const Tensor& out) override {
    visit_dtype(x.dtype(), [&](auto from) {
      visit_dtype(out.dtype(), [&](auto to) {
        using From = decltype(from);
        using To = decltype(to);
        const From* in = x.as<From>();
        To* target = out.as<To>();
        pieces(x.elements(), 1, [=](Index first, Index n) {
          for (Index i = first; i < first + n; ++i) target[i] = convert<To>(in[i]);
        });
      });
    });
  }
  bool do_all_finite(const ConstMatrix& x) override {
    const Index rows = x.transposed ? x.ncols : x.nrows;
    const Index n = x.transposed ? x.nrows : x.ncols;
    if (x.dtype != dtype_of<R>) return other_type_finite(x, rows, n);
    const R* data = x.as<R>();
    if (x.ld == n || rows == 1) return finite(1, rows * n, data, 0);
    return finite(rows, n, data, x.ld);
  }

 private:
  const Kernels<R>& k() const { return ctx_->kernels(); }
  template <class F>
  void pieces(Index n, Index cost, const F& f) const {
    ctx_->parallel().pieces(n, cost, f);
  }
  // out (=, +=) of(x) dy
  template <class F>
  void second(const ConstTensor& x, const ConstTensor& dy, const Sink& out, Index cost, const F& of) const {
    const R* in = x.as<R>();
    const R* delta = dy.as<R>();
    R* to = out.to.as<R>();
    const bool add = out.mode == Write::Add;
    pieces(x.elements(), cost, [=](Index first, Index n) {
      for (Index i = first; i < first + n; ++i) {
        const R d = of(in[i]) * delta[i];
        to[i] = add ? to[i] + d : d;
      }
    });
  }
  // Applies what make(zero of out's type) returns to every element where cond is not 0.
  template <class Make>
  void where(const ConstTensor& cond, const Tensor& out, const Make& make) const {
    visit_dtype(out.dtype(), [&](auto zero) {
      using T = decltype(zero);
      const auto apply = make(zero);
      T* to = out.as<T>();
      visit_dtype(cond.dtype(), [&](auto flag) {
        using C = decltype(flag);
        const C* conditions = cond.as<C>();
        pieces(out.elements(), 1, [=](Index first, Index n) {
          for (Index i = first; i < first + n; ++i)
            if (conditions[i] != C{0}) apply(i, to[i]);
        });
      });
    });
  }
  bool finite(Index rows, Index n, const R* data, Index ld) const {
    std::atomic<bool> good{true};
    for (Index r = 0; r < rows && good; ++r)
      pieces(n, 1, [&](Index i, Index count) {
        if (!k().all_finite(count, data + r * ld + i)) good = false;
      });
    return good;
  }
  static bool other_type_finite(const ConstMatrix& x, Index rows, Index n) {
    return visit_dtype(x.dtype, [&](auto zero) {
      for (Index r = 0; r < rows; ++r)
        for (Index i = 0; i < n; ++i)
          if (!std::isfinite(static_cast<double>(x.as<decltype(zero)>()[r * x.ld + i]))) return false;
      return true;
    });
  }
  ContextPtr<R> ctx_;
};

}  // namespace

template <class R>
std::unique_ptr<ElementwiseOps> make_elementwise(ContextPtr<R> ctx) {
  return std::make_unique<CpuElementwise<R>>(std::move(ctx));
}
SQUALL_CPU_MAKER(ElementwiseOps, make_elementwise);

}  // namespace squall::cpu
