// Updates of ranges of parameters in one pass over weights, states and write bytes.
#include "cuda/facets.hpp"
#include "cuda/kernels/row_programs.hpp"
#include "cuda/kernels/sums.hpp"

namespace squall::cuda::SQUALL_GRID {

namespace {

template <class R>
struct Range {
  R* p;
  const R* g;
  R *s0, *s1, *s2;
  const std::uint8_t* write;  // or null

  explicit Range(const UpdateRange& u)
      : p(u.value.as<R>()),
        g(u.gradient ? u.gradient.as<R>() : nullptr),
        s0(u.state0 ? u.state0.as<R>() : nullptr),
        s1(u.state1 ? u.state1.as<R>() : nullptr),
        s2(u.state2 ? u.state2.as<R>() : nullptr),
        write(u.write ? u.write.as<std::uint8_t>() : nullptr) {}
};

// A weight whose write byte is 0 is neither read nor written, nor are its states.
template <class R, int kStates, class Rule>
struct UpdateKernel {
  Range<R> range;
  Rule rule;
  SQUALL_HD void operator()(Index i) const {
    if (range.write != nullptr && range.write[i] == 0) return;
    R p = range.p[i];
    const R g = range.g != nullptr ? range.g[i] : R(0);
    R s0 = kStates > 0 ? range.s0[i] : R(0);
    R s1 = kStates > 1 ? range.s1[i] : R(0);
    R s2 = kStates > 2 ? range.s2[i] : R(0);
    rule(p, g, s0, s1, s2);
    range.p[i] = p;
    if (kStates > 0) range.s0[i] = s0;
    if (kStates > 1) range.s1[i] = s1;
    if (kStates > 2) range.s2[i] = s2;
  }
};

// The rules of formulas/update.hpp that are functions.
enum class Simple : std::uint8_t { Momentum, Ahead, Correct };
template <class R>
struct Descend {
  R rate;
  SQUALL_HD void operator()(R& p, R g, R&, R&, R&) const { formulas::sgd(p, g, rate); }
};
template <class R>
struct Velocity {
  R rate, mu;
  Simple what;
  SQUALL_HD void operator()(R& p, R g, R& v, R&, R&) const {
    if (what == Simple::Momentum)
      formulas::momentum(p, g, v, rate, mu);
    else if (what == Simple::Ahead)
      formulas::nesterov_ahead(p, v, mu);
    else
      formulas::nesterov_correct(p, g, v, rate);
  }
};

template <class R>
struct DecayKernel {
  const R* w;
  R* g;
  R factor;
  bool signs;
  SQUALL_HD void operator()(Index i) const {
    const R sign = w[i] > R(0) ? R(1) : (w[i] < R(0) ? R(-1) : R(0));
    g[i] += factor * (signs ? sign : w[i]);
  }
};

template <class R>
struct Powers {
  const R* x;
  double power;
  SQUALL_HD double operator()(Index i) const {
    const double v = static_cast<double>(x[i]), size = v < 0 ? -v : v;
    if (power == 2) return v * v;
    return power == 1 || largest() ? size : ::pow(size, power);
  }
  SQUALL_HD bool largest() const { return power > 1e300; }
  SQUALL_HD double combine(double a, double b) const {
    if (!largest()) return a + b;
    return b > a || b != b ? b : a;  // NaN stays
  }
};

template <class R>
class GridOptim final : public OptimOps {
 public:
  explicit GridOptim(ContextPtr ctx) : ctx_(std::move(ctx)) {}

 protected:
  void do_sgd(const UpdateRange& p, double rate) override { sweep<0>(p, Descend<R>{static_cast<R>(rate)}); }
  void do_momentum(const UpdateRange& p, double rate, double mu) override {
    sweep<1>(p, Velocity<R>{static_cast<R>(rate), static_cast<R>(mu), Simple::Momentum});
  }
  void do_nesterov_ahead(const UpdateRange& p, double mu) override {
    sweep<1>(p, Velocity<R>{R(0), static_cast<R>(mu), Simple::Ahead});
  }
  void do_nesterov_correct(const UpdateRange& p, double rate) override {
    sweep<1>(p, Velocity<R>{static_cast<R>(rate), R(0), Simple::Correct});
  }
  void do_update(const UpdateRange& p, const UpdateFormula& formula) override {
    std::visit([&](const auto& rule) { sweep<std::decay_t<decltype(rule)>::kStates>(p, rule); }, formula);
  }
  void do_constrain_rows(const Matrix& w, double limit) override {
    rows(*ctx_, w.nrows, w.ncols, RowConstraint<R>{w.as<R>(), w.ncols, w.ld, limit});
  }
  void do_l1_decay(const ConstTensor& w, double factor, const Tensor& g) override {
    each(*ctx_, w.elements(), DecayKernel<R>{w.as<R>(), g.as<R>(), static_cast<R>(factor), true});
  }
  void do_l2_decay(const ConstTensor& w, double factor, const Tensor& g) override {
    each(*ctx_, w.elements(), DecayKernel<R>{w.as<R>(), g.as<R>(), static_cast<R>(factor), false});
  }
  double do_power_sum(const ConstTensor& x, double power) override {
    const Powers<R> powers{x.as<R>(), power};
    total(*ctx_, x.elements(), powers, powers.largest());
    double sum = 0;
    ctx_->download(ctx_->sums(), &sum, sizeof sum);
    return sum;
  }

 private:
  template <int kStates, class Rule>
  void sweep(const UpdateRange& u, const Rule& rule) {
    each(*ctx_, u.value.elements(), UpdateKernel<R, kStates, Rule>{Range<R>(u), rule});
  }
  ContextPtr ctx_;
};

}  // namespace

template <class R>
std::unique_ptr<OptimOps> make_optim(ContextPtr ctx) {
  return std::make_unique<GridOptim<R>>(std::move(ctx));
}
SQUALL_GRID_MAKER(OptimOps, make_optim);

}  // namespace squall::cuda::SQUALL_GRID
