// Batch normalisation: one pass for the mean, a second for the variance, sums in double precision over fixed chunks of
// rows. The reserve holds the mean and the inverse spread that forward used.
#include <cmath>

#include "cpu/facets.hpp"
#include "cpu/group_norm.hpp"
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
    return channels() * (2 * static_cast<std::size_t>(chunks_) * sizeof(double) + 5 * sizeof(R));
  }
  std::size_t reserve_bytes() const override { return 2 * channels() * sizeof(R); }
  void set_workspace(void* memory) override {
    sums_ = static_cast<double*>(memory);
    columns_ = reinterpret_cast<R*>(sums_ + 2 * chunks_ * spec().channels);
  }
  void set_reserve(void* memory) override { mean_ = static_cast<R*>(memory); }

 protected:
  void do_forward(const ConstTensor& x, const ConstTensor& gamma, const ConstTensor& beta, const Tensor& mu,
                  const Tensor& sigma, bool training, const Tensor& y, const Tensor& count) override {
    const R* in = x.as<R>();
    R* out = y.as<R>();
    if (training)
      batch_statistics(in, mu, sigma, share_of_batch(count));
    else
      running_statistics(mu.as<R>(), sigma.as<R>());
    const R* scale = given_or(gamma, columns_ + 3 * n(), R(1));
    const R* shift = given_or(beta, columns_ + 4 * n(), R(0));
    each_chunk([&](Index, Span part) {
      const Index first = part.first * n();
      k().normalise(part.count, n(), in + first, mean_, inverse(), scale, shift, out + first);
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
    if (dx) input_delta(in, given_or(gamma, columns_ + 3 * n(), R(1)), training, delta, dx);
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
  const R* given_or(const ConstTensor& given, R* place, R value) const {
    if (given) return given.as<R>();
    std::fill_n(place, n(), value);
    return place;
  }
  // Counts the pass.
  double share_of_batch(const Tensor& count) const {
    if (!count) return 1.0 - spec().decay;
    const R now = *count.as<R>() += R(1);
    return spec().cumulative ? 1.0 / static_cast<double>(now) : 1.0 - spec().decay;
  }
  static void move(R& running, double batch, double share) {
    running = static_cast<R>((1.0 - share) * static_cast<double>(running) + share * batch);
  }
  void batch_statistics(const R* x, const Tensor& mu, const Tensor& sigma, double share) {
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
    const bool deviation = spec().running == Running::Deviation;
    const double divisor = spec().unbiased && spec().rows > 1 ? rows - 1 : rows;
    for (Index j = 0; j < n(); ++j) {
      const double spread = std::sqrt(total(squares, j) / rows + spec().epsilon);
      inverse()[j] = static_cast<R>(1.0 / spread);
      if (!mu) continue;
      const auto mean = static_cast<double>(mean_[j]);
      move(mu.as<R>()[j], deviation ? -mean : mean, share);
      move(sigma.as<R>()[j], deviation ? spread : total(squares, j) / divisor, share);
    }
  }
  void running_statistics(const R* mu, const R* sigma) {
    const bool deviation = spec().running == Running::Deviation;
    for (Index j = 0; j < n(); ++j) {
      mean_[j] = deviation ? -mu[j] : mu[j];
      inverse()[j] =
          deviation ? R(1) / sigma[j] : static_cast<R>(1.0 / std::sqrt(static_cast<double>(sigma[j]) + spec().epsilon));
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
  R* columns_ = nullptr;    // five numbers per channel
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
  std::unique_ptr<GroupNormPlan> do_plan(const GroupNormSpec& spec) override { return make_group_norm<R>(spec, ctx_); }

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
