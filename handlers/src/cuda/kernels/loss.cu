// Criteria: softmax with cross entropy in one kernel each way, sigmoid with cross entropy.
#include "cuda/facets.hpp"
#include "cuda/indices.hpp"
#include "cuda/kernels/row_programs.hpp"

namespace squall::cuda::SQUALL_GRID {

namespace {

constexpr double kLargestLoss = 13.815510557964274;  // -ln 1e-6

// dx (=, +=) (p - onehot(target)) dloss
template <class R>
struct SoftmaxCeBackKernel {
  const R *p, *dloss;
  const std::int32_t* targets;
  R* dx;
  FaultKey* fault;
  Index classes;
  bool add;
  SQUALL_HD void operator()(Index i) const {
    const Divided at = divide(i, classes);
    const std::int32_t target = targets[at.quotient];
    if (at.rest == 0 && (target < 0 || target >= classes)) report(fault, at.quotient, target);
    const R rate = dloss[at.quotient];
    const R delta = p[i] * rate;
    put(dx + i, target == at.rest ? delta - rate : delta, add);
  }
};

// loss = t min(ln(1 + e^-x), limit) + (1 - t) min(ln(1 + e^x), limit); t and loss may be null together.
template <class R>
struct SigmoidCeKernel {
  const R *x, *t;
  R *y, *loss;
  R limit;
  SQUALL_HD void operator()(Index i) const {
    const R v = x[i];
    if (loss != nullptr) {
      const R magnitude = v < R(0) ? -v : v;
      const R tail = formulas::log1p_of(formulas::exp_of(-magnitude));
      const R one = tail + (v < R(0) ? magnitude : R(0));   // -ln y
      const R zero = tail + (v > R(0) ? magnitude : R(0));  // -ln(1 - y)
      loss[i] = t[i] * (one > limit ? limit : one) + (R(1) - t[i]) * (zero > limit ? limit : zero);
    }
    y[i] = formulas::sigmoid(v);
  }
};
template <class R>
struct SigmoidCeBackKernel {
  const R *y, *t, *dloss;
  R* dx;
  bool add;
  SQUALL_HD void operator()(Index i) const { put(dx + i, (y[i] - t[i]) * dloss[i], add); }
};

template <class R>
class SoftmaxCe final : public SoftmaxCePlan {
 public:
  SoftmaxCe(const SoftmaxCeSpec& spec, ContextPtr ctx) : SoftmaxCePlan(spec), ctx_(std::move(ctx)) {}
  std::string_view kind() const override { return "fused rows"; }

 protected:
  void do_forward(const ConstTensor& x, const ConstTensor& targets, const Tensor& p, const Tensor& loss) override {
    const Index n = spec().classes;
    FaultKey* fault = targets ? outside(*ctx_, "softmax_ce", "target", n) : nullptr;
    rows(*ctx_, spec().rows, n,
         RowSoftmax<R>{x.as<R>(), p.as<R>(), targets ? targets.as<std::int32_t>() : nullptr,
                       loss && targets ? loss.as<R>() : nullptr, fault, n, n, n, kLargestLoss});
    if (targets) ctx_->look();
  }
  void do_backward(const ConstTensor& p, const ConstTensor& targets, const ConstTensor& dloss,
                   const Sink& dx) override {
    const Index n = spec().classes;
    FaultKey* fault = outside(*ctx_, "softmax_ce", "target", n);
    each(*ctx_, spec().rows * n,
         SoftmaxCeBackKernel<R>{p.as<R>(), dloss.as<R>(), targets.as<std::int32_t>(), dx.to.as<R>(), fault, n,
                                dx.mode == Write::Add});
    ctx_->look();
  }

 private:
  ContextPtr ctx_;
};

template <class R>
class GridLoss final : public LossOps {
 public:
  explicit GridLoss(ContextPtr ctx) : ctx_(std::move(ctx)) {}

 protected:
  std::unique_ptr<SoftmaxCePlan> do_plan(const SoftmaxCeSpec& spec) override {
    return std::make_unique<SoftmaxCe<R>>(spec, ctx_);
  }
  void do_sigmoid_ce(const ConstTensor& x, const ConstTensor& t, const Tensor& y, const Tensor& loss) override {
    const bool wanted = t && loss;
    each(*ctx_, x.elements(),
         SigmoidCeKernel<R>{x.as<R>(), wanted ? t.as<R>() : nullptr, y.as<R>(), wanted ? loss.as<R>() : nullptr,
                            static_cast<R>(kLargestLoss)});
  }
  void do_sigmoid_ce_back(const ConstTensor& y, const ConstTensor& t, const ConstTensor& dloss,
                          const Sink& dx) override {
    each(*ctx_, y.elements(),
         SigmoidCeBackKernel<R>{y.as<R>(), t.as<R>(), dloss.as<R>(), dx.to.as<R>(), dx.mode == Write::Add});
  }

 private:
  ContextPtr ctx_;
};

}  // namespace

template <class R>
std::unique_ptr<LossOps> make_loss(ContextPtr ctx) {
  return std::make_unique<GridLoss<R>>(std::move(ctx));
}
SQUALL_GRID_MAKER(LossOps, make_loss);

}  // namespace squall::cuda::SQUALL_GRID
