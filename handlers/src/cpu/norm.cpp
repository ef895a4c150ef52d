// Batch normalisation: one pass for the mean, a second for the variance, sums in double precision over fixed chunks of
// rows. The reserve holds the mean and the inverse spread that forward used.
#include <cmath>

#include "cpu/facets.hpp"
#include "cpu/reduce.hpp"

namespace squall::cpu {

namespace {

template <class R>
class FusedBatchNorm final : public BatchNormPlan {
 public:
  FusedBatchNorm(const BatchNormSpec& spec, ContextPtr<R> ctx)
      : BatchNormPlan(spec), ctx_(std::move(ctx)), chunks_(row_chunks(spec.rows)) {}
  std::string_view kind() const override { return "two passes"; }
  std::size_t workspace_bytes() const override {
    return channels() * (2 * static_cast<std::size_t>(chunks_) * sizeof(double) + 3 * sizeof(R));
  }
  std::size_t reserve_bytes() const override { return 2 * channels() * sizeof(R); }
  void set_workspace(void* memory) override {
    sums_ = static_cast<double*>(memory);
    columns_ = reinterpret_cast<R*>(sums_ + 2 * chunks_ * spec().channels);
  }
  void set_reserve(void* memory) override { mean_ = static_cast<R*>(memory); }

 protected:
  void do_forward(const ConstTensor& x, const ConstTensor& gamma, const ConstTensor& beta, const Tensor& mu,
                  const Tensor& sigma, bool training, const Tensor& y) override {
    const R* in = x.as<R>();
    R* out = y.as<R>();
    if (training)
      batch_statistics(in, mu.as<R>(), sigma.as<R>());
    else
      running_statistics(mu.as<R>(), sigma.as<R>());
    each_chunk([&](Index, Span part) {
      const Index first = part.first * n();
      k().normalise(part.count, n(), in + first, mean_, inverse(), gamma.as<R>(), beta.as<R>(), out + first);
    });
  }
  void do_backward(const ConstTensor& x, const ConstTensor& gamma, const ConstTensor&, const ConstTensor&,
                   bool training, const ConstTensor& dy, const Sink& dx, const Sink& dgamma,
                   const Sink& dbeta) override {
    const R* in = x.as<R>();
    const R* delta = dy.as<R>();
    double* dy_sums = sums_;
    double* products = sums_ + chunks_ * n();
    if (dgamma || dbeta || training) {
      std::fill_n(sums_, 2 * chunks_ * n(), 0.0);
      each_chunk([&](Index chunk, Span part) {
        const Index first = part.first * n();
        k().column_products(part.count, n(), in + first, mean_, inverse(), delta + first, dy_sums + chunk * n(),
                            products + chunk * n());
      });
    }
    if (dbeta) combine(dy_sums, chunks_, n(), dbeta.to.as<R>(), dbeta.mode == Write::Add);
    if (dgamma) combine(products, chunks_, n(), dgamma.to.as<R>(), dgamma.mode == Write::Add);
    if (dx) input_delta(in, gamma.as<R>(), training, delta, dx);
  }

 private:
  Index n() const { return spec().channels; }
  std::size_t channels() const { return static_cast<std::size_t>(spec().channels); }
  R* inverse() const { return mean_ + n(); }
  const Kernels<R>& k() const { return ctx_->kernels(); }
  template <class F>
  void each_chunk(const F& f) const {
    ctx_->parallel().run(chunks_, spec().rows * n() >= kWorthElements,
                         [&](Index chunk, int) { f(chunk, part_of(spec().rows, chunks_, chunk)); });
  }
  double total(const double* partial, Index j) const {
    double sum = 0;
    for (Index c = 0; c < chunks_; ++c) sum += partial[c * n() + j];
    return sum;
  }
  void batch_statistics(const R* x, R* mu, R* sigma) {
    const auto rows = static_cast<double>(std::max<Index>(spec().rows, 1));
    std::fill_n(sums_, 2 * chunks_ * n(), 0.0);
    double* squares = sums_ + chunks_ * n();
    each_chunk([&](Index chunk, Span part) {
      k().column_sums(part.count, n(), x + part.first * n(), n(), sums_ + chunk * n());
    });
    for (Index j = 0; j < n(); ++j) mean_[j] = static_cast<R>(total(sums_, j) / rows);
    each_chunk([&](Index chunk, Span part) {
      k().column_squares(part.count, n(), x + part.first * n(), mean_, squares + chunk * n());
    });
    const double decay = spec().decay;
    for (Index j = 0; j < n(); ++j) {
      const double spread = std::sqrt(total(squares, j) / rows + spec().epsilon);
      inverse()[j] = static_cast<R>(1.0 / spread);
      mu[j] = static_cast<R>(decay * static_cast<double>(mu[j]) - (1.0 - decay) * static_cast<double>(mean_[j]));
      sigma[j] = static_cast<R>(decay * static_cast<double>(sigma[j]) + (1.0 - decay) * spread);
    }
  }
  void running_statistics(const R* mu, const R* sigma) {
    for (Index j = 0; j < n(); ++j) {
      mean_[j] = -mu[j];
      inverse()[j] = R(1) / sigma[j];
    }
  }
  void input_delta(const R* x, const R* gamma, bool training, const R* dy, const Sink& dx) {
    const auto rows = static_cast<double>(std::max<Index>(spec().rows, 1));
    R* scale = columns_;
    R* shift = columns_ + n();
    R* slope = columns_ + 2 * n();
    for (Index j = 0; j < n(); ++j) {
      scale[j] = gamma[j] * inverse()[j];
      shift[j] = training ? static_cast<R>(total(sums_, j) / rows) : R(0);
      slope[j] = training ? static_cast<R>(total(sums_ + chunks_ * n(), j) / rows) : R(0);
    }
    R* to = dx.to.as<R>();
    const auto kernel = k().normalise_back[at(dx.mode)];
    each_chunk([&](Index, Span part) {
      const Index first = part.first * n();
      kernel(part.count, n(), x + first, mean_, inverse(), scale, shift, slope, dy + first, to + first);
    });
  }

  ContextPtr<R> ctx_;
  Index chunks_;
  double* sums_ = nullptr;  // two sets of partial sums
  R* columns_ = nullptr;    // three numbers per channel
  R* mean_ = nullptr;       // reserve: mean, inverse spread
};

template <class R>
class CpuNorm final : public NormOps {
 public:
  explicit CpuNorm(ContextPtr<R> ctx) : ctx_(std::move(ctx)) {}

 protected:
  std::unique_ptr<BatchNormPlan> do_plan(const BatchNormSpec& spec) override {
    return std::make_unique<FusedBatchNorm<R>>(spec, ctx_);
  }

 private:
  ContextPtr<R> ctx_;
};

}  // namespace

template <class R>
std::unique_ptr<NormOps> make_norm(ContextPtr<R> ctx) {
  return std::make_unique<CpuNorm<R>>(std::move(ctx));
}
SQUALL_CPU_MAKER(NormOps, make_norm);

}  // namespace squall::cpu
