// Criteria: softmax with cross entropy in one pass over each row, sigmoid with cross entropy.
#include "cpu/facets.hpp"
#include "cpu/indices.hpp"

namespace squall::cpu {

namespace {

constexpr double kLargestLoss = 13.815510557964274;  // -ln 1e-6

template <class R>
class FusedSoftmaxCe final : public SoftmaxCePlan {
 public:
  FusedSoftmaxCe(const SoftmaxCeSpec& spec, ContextPtr<R> ctx) : SoftmaxCePlan(spec), ctx_(std::move(ctx)) {}
  std::string_view kind() const override { return "fused rows"; }

 protected:
  void do_forward(const ConstTensor& x, const ConstTensor& targets, const Tensor& p, const Tensor& loss) override {
    const Index n = spec().classes;
    const auto* wanted = targets ? checked_indices("softmax_ce", "target", targets, n) : nullptr;
    const R* in = x.as<R>();
    R* out = p.as<R>();
    R* losses = loss && wanted != nullptr ? loss.as<R>() : nullptr;
    each_row(8, [&](Index r) {
      // The picked input is read first: p may be x.
      const R picked = losses != nullptr ? in[r * n + wanted[r]] : R(0);
      const R log_sum = ctx_->kernels().softmax_ce(n, in + r * n, out + r * n);
      if (losses != nullptr) losses[r] = std::min(log_sum - picked, static_cast<R>(kLargestLoss));
    });
  }
  void do_backward(const ConstTensor& p, const ConstTensor& targets, const ConstTensor& dloss,
                   const Sink& dx) override {
    const Index n = spec().classes;
    const auto* wanted = checked_indices("softmax_ce", "target", targets, n);
    const R* probabilities = p.as<R>();
    const R* deltas = dloss.as<R>();
    R* to = dx.to.as<R>();
    each_row(1, [&](Index r) {
      ctx_->kernels().affine[at(dx.mode)](n, probabilities + r * n, deltas[r], R(0), to + r * n);
      to[r * n + wanted[r]] -= deltas[r];
    });
  }

 private:
  template <class F>
  void each_row(Index cost, const F& f) const {
    const Index size = std::max<Index>(spec().classes * cost, 1);
    const Index tile_rows = std::clamp<Index>(16384 / size, 1, 4096);
    ctx_->parallel().run(ceil_div(spec().rows, tile_rows), spec().rows * size >= kWorthElements, [&](Index tile, int) {
      const Index end = std::min(spec().rows, (tile + 1) * tile_rows);
      for (Index r = tile * tile_rows; r < end; ++r) f(r);
    });
  }
  ContextPtr<R> ctx_;
};

template <class R>
class CpuLoss final : public LossOps {
 public:
  explicit CpuLoss(ContextPtr<R> ctx) : ctx_(std::move(ctx)) {}

 protected:
  std::unique_ptr<SoftmaxCePlan> do_plan(const SoftmaxCeSpec& spec) override {
    return std::make_unique<FusedSoftmaxCe<R>>(spec, ctx_);
  }
  void do_sigmoid_ce(const ConstTensor& x, const ConstTensor& t, const Tensor& y, const Tensor& loss) override {
    const bool wanted = t && loss;
    const R* in = x.as<R>();
    const R* targets = wanted ? t.as<R>() : nullptr;
    R* out = y.as<R>();
    R* losses = wanted ? loss.as<R>() : nullptr;
    ctx_->parallel().pieces(x.elements(), 16, [&](Index i, Index n) {
      ctx_->kernels().sigmoid_ce(n, in + i, wanted ? targets + i : nullptr, out + i, wanted ? losses + i : nullptr,
                                 static_cast<R>(kLargestLoss));
    });
  }
  void do_sigmoid_ce_back(const ConstTensor& y, const ConstTensor& t, const ConstTensor& dloss,
                          const Sink& dx) override {
    const R* out = y.as<R>();
    const R* targets = t.as<R>();
    const R* deltas = dloss.as<R>();
    R* to = dx.to.as<R>();
    const bool add = dx.mode == Write::Add;
    ctx_->parallel().pieces(y.elements(), 1, [&](Index first, Index n) {
      for (Index i = first; i < first + n; ++i) {
        const R d = (out[i] - targets[i]) * deltas[i];
        to[i] = add ? to[i] + d : d;
      }
    });
  }

 private:
  ContextPtr<R> ctx_;
};

}  // namespace

template <class R>
std::unique_ptr<LossOps> make_loss(ContextPtr<R> ctx) {
  return std::make_unique<CpuLoss<R>>(std::move(ctx));
}
SQUALL_CPU_MAKER(LossOps, make_loss);

}  // namespace squall::cpu
