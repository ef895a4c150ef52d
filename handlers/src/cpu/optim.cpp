// Updates of ranges of parameters, one pass in pieces of fixed size.
#include <cmath>

#include "cpu/facets.hpp"

namespace squall::cpu {

namespace {

template <class R>
class CpuOptim final : public OptimOps {
 public:
  explicit CpuOptim(ContextPtr<R> ctx) : ctx_(std::move(ctx)) {}

 protected:
  void do_sgd(const UpdateRange& p, double rate) override {
    sweep(p, [&](const RangeCall<R>& c) { k().sgd(c, static_cast<R>(rate)); });
  }
  void do_momentum(const UpdateRange& p, double rate, double mu) override {
    sweep(p, [&](const RangeCall<R>& c) { k().momentum(c, static_cast<R>(rate), static_cast<R>(mu)); });
  }
  void do_nesterov_ahead(const UpdateRange& p, double mu) override {
    sweep(p, [&](const RangeCall<R>& c) { k().nesterov_ahead(c, static_cast<R>(mu)); });
  }
  void do_nesterov_correct(const UpdateRange& p, double rate) override {
    sweep(p, [&](const RangeCall<R>& c) { k().nesterov_correct(c, static_cast<R>(rate)); });
  }
  void do_update(const UpdateRange& p, const UpdateFormula& formula) override {
    static_assert(std::variant_size_v<UpdateFormula> == kUpdates);
    const void* object = std::visit([](const auto& f) -> const void* { return &f; }, formula);
    sweep(p, [&](const RangeCall<R>& c) { k().update[formula.index()](c, object); });
  }
  void do_constrain_rows(const Matrix& w, double limit) override {
    const Index n = w.ncols;
    ctx_->parallel().run(w.nrows, w.nrows * n >= kWorthElements, [&](Index r, int) {
      R* row = w.as<R>() + r * w.ld;
      const double norm = std::sqrt(k().sum_squares(n, row));
      if (norm > limit) k().affine[at(Write::Overwrite)](n, row, static_cast<R>(limit / norm), R(0), row);
    });
  }
  void do_l1_decay(const ConstTensor& w, double factor, const Tensor& g) override { decay(w, factor, g, k().l1_decay); }
  void do_l2_decay(const ConstTensor& w, double factor, const Tensor& g) override { decay(w, factor, g, k().l2_decay); }
  // Chunks depend on the size alone and are put together in order.
  double do_power_sum(const ConstTensor& x, double power) override {
    const Index n = x.elements();
    const Index chunk = std::max<Index>(16384, ceil_div(n, Context<R>::kSums));
    const Index chunks = ceil_div(n, chunk);
    const R* in = x.as<R>();
    ctx_->parallel().run(chunks, n >= kWorthElements, [&](Index c, int) {
      ctx_->sums()[c] = power_sum_of(in + c * chunk, std::min(chunk, n - c * chunk), power);
    });
    double total = 0;
    for (Index c = 0; c < chunks; ++c)
      total = std::isinf(power) ? larger(total, ctx_->sums()[c]) : total + ctx_->sums()[c];
    return total;
  }

 private:
  const Kernels<R>& k() const { return ctx_->kernels(); }
  static double larger(double a, double b) { return b > a || b != b ? b : a; }  // NaN stays
  double power_sum_of(const R* x, Index n, double power) const {
    if (power == 2) return k().sum_squares(n, x);
    double total = 0;
    if (std::isinf(power))
      for (Index i = 0; i < n; ++i) total = larger(total, std::abs(static_cast<double>(x[i])));
    else if (power == 1)
      for (Index i = 0; i < n; ++i) total += std::abs(static_cast<double>(x[i]));
    else
      for (Index i = 0; i < n; ++i) total += std::pow(std::abs(static_cast<double>(x[i])), power);
    return total;
  }
  template <class Kernel>
  void decay(const ConstTensor& w, double factor, const Tensor& g, Kernel kernel) const {
    const R* weights = w.as<R>();
    R* to = g.as<R>();
    ctx_->parallel().pieces(w.elements(), 1,
                            [&](Index i, Index n) { kernel(n, weights + i, static_cast<R>(factor), to + i); });
  }
  template <class F>
  void sweep(const UpdateRange& u, const F& f) const {
    R* value = u.value.as<R>();
    const R* gradient = u.gradient ? u.gradient.as<R>() : nullptr;
    R* state0 = u.state0 ? u.state0.as<R>() : nullptr;
    R* state1 = u.state1 ? u.state1.as<R>() : nullptr;
    R* state2 = u.state2 ? u.state2.as<R>() : nullptr;
    const std::uint8_t* write = u.write ? u.write.as<std::uint8_t>() : nullptr;
    const auto moved = [](auto* p, Index by) { return p != nullptr ? p + by : p; };
    ctx_->parallel().pieces(u.value.elements(), 2, [&](Index i, Index n) {
      f(RangeCall<R>{n, value + i, moved(gradient, i), moved(state0, i), moved(state1, i), moved(state2, i),
                     moved(write, i)});
    });
  }
  ContextPtr<R> ctx_;
};

}  // namespace

template <class R>
std::unique_ptr<OptimOps> make_optim(ContextPtr<R> ctx) {
  return std::make_unique<CpuOptim<R>>(std::move(ctx));
}
SQUALL_CPU_MAKER(OptimOps, make_optim);

}  // namespace squall::cpu
