// Normalisation: statistics of channels or of groups in as few kernels as there are sums that need each other. Nothing
// is kept but the statistics: what was standardised is computed again going back.
#include "cuda/booked.hpp"
#include "cuda/facets.hpp"
#include "cuda/kernels/row_programs.hpp"
#include "cuda/kernels/sums.hpp"

namespace squall::cuda::SQUALL_GRID {

namespace {

template <class R>
R* data(const Tensor& t) {
  return t ? t.as<R>() : nullptr;
}
template <class R>
const R* data(const ConstTensor& t) {
  return t ? t.as<R>() : nullptr;
}

// --- by the batch

// x, standardised by one mean and one spread for each channel.
template <class R>
struct Standard {
  enum class By : std::uint8_t { Batch, Deviation, Variance };
  const R *x, *mean, *spread;
  By by;
  R epsilon;
  SQUALL_HD R width(Index c) const { return by == By::Variance ? root_of(spread[c] + epsilon) : spread[c]; }
  SQUALL_HD R at(Index i, Index c) const { return (by == By::Deviation ? x[i] + mean[c] : x[i] - mean[c]) / width(c); }
};

template <class R>
struct ChannelSums {
  const R* x;
  Index channels;
  SQUALL_HD void operator()(Index row, Index c, double& sum, double&) const {
    sum += static_cast<double>(x[row * channels + c]);
  }
};
template <class R>
struct ChannelMean {
  R* mean;
  double share;
  SQUALL_HD void operator()(Index c, double sum, double) const { mean[c] = static_cast<R>(sum * share); }
};
template <class R>
struct ChannelSquares {
  const R *x, *mean;
  Index channels;
  SQUALL_HD void operator()(Index row, Index c, double& squares, double&) const {
    const double off = static_cast<double>(x[row * channels + c]) - static_cast<double>(mean[c]);
    squares += off * off;
  }
};
// The spread of a batch, and running statistics moved towards it.
template <class R>
struct ChannelSpread {
  const R* mean;
  R *spread, *mu, *sigma;
  const R* count;  // before this pass; null: statistics are not cumulative
  double share, epsilon, decay, unbiased;
  bool deviation;
  SQUALL_HD void move(R* to, double batch) const {
    const double now = static_cast<double>(*to);
    const double rate = count != nullptr ? 1.0 / (static_cast<double>(*count) + 1.0) : 1.0 - decay;
    *to = static_cast<R>(count != nullptr ? now + (batch - now) * rate : decay * now + rate * batch);
  }
  SQUALL_HD void operator()(Index c, double squares, double) const {
    const double variance = squares * share;
    const double wide = ::sqrt(variance + epsilon);
    spread[c] = static_cast<R>(wide);
    if (mu == nullptr) return;
    const double m = static_cast<double>(mean[c]);
    move(mu + c, deviation ? -m : m);
    move(sigma + c, deviation ? wide : variance * unbiased);
  }
};
template <class R>
struct BatchNormKernel {
  Standard<R> standard;
  const R *gamma, *beta;
  R *y, *count;  // count: raised by one; or null
  Index channels;
  SQUALL_HD void operator()(Index i) const {
    const Index c = divide(i, channels).rest;
    R v = standard.at(i, c);
    if (gamma != nullptr) v *= gamma[c];
    y[i] = beta != nullptr ? v + beta[c] : v;
    if (i == 0 && count != nullptr) *count += R(1);
  }
};
// Sums of dy xhat and of dy.
template <class R>
struct DeltaSums {
  Standard<R> standard;
  const R* dy;
  Index channels;
  SQUALL_HD void operator()(Index row, Index c, double& along, double& sum) const {
    const Index i = row * channels + c;
    along += static_cast<double>(dy[i]) * static_cast<double>(standard.at(i, c));
    sum += static_cast<double>(dy[i]);
  }
};
template <class R>
struct DeltaTotals {
  R *dgamma, *dbeta;  // or null
  bool add_gamma, add_beta;
  R *along, *mean;  // or null
  double share;
  SQUALL_HD void operator()(Index c, double a, double b) const {
    if (dgamma != nullptr) put(dgamma + c, static_cast<R>(a), add_gamma);
    if (dbeta != nullptr) put(dbeta + c, static_cast<R>(b), add_beta);
    if (along == nullptr) return;
    along[c] = static_cast<R>(a * share);
    mean[c] = static_cast<R>(b * share);
  }
};
template <class R>
struct BatchNormBackKernel {
  Standard<R> standard;
  const R *gamma, *dy, *along, *mean;  // along and mean: null outside of training
  R* dx;
  Index channels;
  bool add;
  SQUALL_HD void operator()(Index i) const {
    const Index c = divide(i, channels).rest;
    R d = dy[i];
    if (along != nullptr) d = d - standard.at(i, c) * along[c] - mean[c];
    const R scale = gamma != nullptr ? gamma[c] / standard.width(c) : R(1) / standard.width(c);
    put(dx + i, d * scale, add);
  }
};

template <class R>
class GridBatchNorm final : public BatchNormPlan {
 public:
  GridBatchNorm(const BatchNormSpec& s, DType dtype, ContextPtr ctx) : BatchNormPlan(s), ctx_(std::move(ctx)) {
    along_ = workspace_.book(dtype, {s.channels});
    delta_mean_ = workspace_.book(dtype, {s.channels});
    mean_ = reserve_.book(dtype, {s.channels});
    spread_ = reserve_.book(dtype, {s.channels});
  }
  std::string_view kind() const override { return "fused columns"; }
  std::size_t workspace_bytes() const override { return workspace_.bytes(); }
  std::size_t reserve_bytes() const override { return reserve_.bytes(); }
  void set_workspace(void* block) override { workspace_.set(block); }
  void set_reserve(void* block) override { reserve_.set(block); }

 protected:
  void do_forward(const ConstTensor& x, const ConstTensor& gamma, const ConstTensor& beta, const Tensor& mu,
                  const Tensor& sigma, bool training, const Tensor& y, const Tensor& count) override {
    const BatchNormSpec& s = spec();
    if (training) measure(x, mu, sigma, count);
    each(*ctx_, s.rows * s.channels,
         BatchNormKernel<R>{standard(x, mu, sigma, training), data<R>(gamma), data<R>(beta), y.as<R>(),
                            training ? data<R>(count) : nullptr, s.channels});
  }
  void do_backward(const ConstTensor& x, const ConstTensor& gamma, const ConstTensor& mu, const ConstTensor& sigma,
                   bool training, const ConstTensor& dy, const Sink& dx, const Sink& dgamma,
                   const Sink& dbeta) override {
    const BatchNormSpec& s = spec();
    const Standard<R> by = standard(x, mu, sigma, training);
    R* along = training && dx ? workspace_[along_].template as<R>() : nullptr;
    R* mean = training && dx ? workspace_[delta_mean_].template as<R>() : nullptr;
    if (along != nullptr || dgamma || dbeta)
      column_pairs(*ctx_, s.rows, s.channels, DeltaSums<R>{by, dy.as<R>(), s.channels},
                   DeltaTotals<R>{data<R>(dgamma.to), data<R>(dbeta.to), dgamma.mode == Write::Add,
                                  dbeta.mode == Write::Add, along, mean, share()});
    if (dx)
      each(*ctx_, s.rows * s.channels,
           BatchNormBackKernel<R>{by, data<R>(gamma), dy.as<R>(), along, mean, dx.to.as<R>(), s.channels,
                                  dx.mode == Write::Add});
  }

 private:
  double share() const { return 1.0 / static_cast<double>(spec().rows); }
  Standard<R> standard(const ConstTensor& x, const ConstTensor& mu, const ConstTensor& sigma, bool training) const {
    using By = typename Standard<R>::By;
    const R epsilon = static_cast<R>(spec().epsilon);
    if (training)
      return {x.as<R>(), reserve_[mean_].template as<R>(), reserve_[spread_].template as<R>(), By::Batch, epsilon};
    const By by = spec().running == Running::Deviation ? By::Deviation : By::Variance;
    return {x.as<R>(), mu.as<R>(), sigma.as<R>(), by, epsilon};
  }
  void measure(const ConstTensor& x, const Tensor& mu, const Tensor& sigma, const Tensor& count) {
    const BatchNormSpec& s = spec();
    R* mean = reserve_[mean_].template as<R>();
    column_pairs(*ctx_, s.rows, s.channels, ChannelSums<R>{x.as<R>(), s.channels}, ChannelMean<R>{mean, share()});
    const auto n = static_cast<double>(s.rows);
    column_pairs(*ctx_, s.rows, s.channels, ChannelSquares<R>{x.as<R>(), mean, s.channels},
                 ChannelSpread<R>{mean, reserve_[spread_].template as<R>(), data<R>(mu), data<R>(sigma),
                                  s.cumulative ? data<R>(count) : nullptr, share(), s.epsilon, s.decay,
                                  s.unbiased && s.rows > 1 ? n / (n - 1) : 1.0, s.running == Running::Deviation});
  }

  ContextPtr ctx_;
  Booked workspace_, reserve_;
  int along_ = 0, delta_mean_ = 0, mean_ = 0, spread_ = 0;
};

// --- by groups of channels of each example

// Row r: group r % groups of example r / groups; its elements are those of all pixels.
struct GroupPlace {
  Index pixels, channels, groups;
  SQUALL_HD Index of_group() const { return channels / groups; }
  SQUALL_HD Index share() const { return pixels * of_group(); }
  SQUALL_HD Index channel(Index row, Index i) const { return row % groups * of_group() + i % of_group(); }
  SQUALL_HD Index element(Index row, Index i) const {
    return (row / groups * pixels + i / of_group()) * channels + channel(row, i);
  }
};

template <class R>
struct GroupNormRows {
  static constexpr int kStages = 2;
  GroupPlace place;
  const R *x, *weight, *bias;
  R *y, *mean, *inverse, *mean_out, *variance_out;
  double epsilon;
  bool centred;
  SQUALL_HD double centre(const double* totals) const {
    return centred ? totals[0] / static_cast<double>(place.share()) : 0.0;
  }
  SQUALL_HD double partial(int stage, Index row, Index first, Index step, const double* totals) const {
    double sum = 0;
    const double middle = stage == 0 ? 0.0 : centre(totals);
    for (Index i = first; i < place.share(); i += step) {
      const double v = static_cast<double>(x[place.element(row, i)]) - middle;
      sum += stage == 0 ? v : v * v;
    }
    return sum;
  }
  SQUALL_HD double combine(int, double a, double b) const { return a + b; }
  SQUALL_HD void finish(Index row, Index first, Index step, const double* totals) const {
    const double middle = centre(totals), variance = totals[1] / static_cast<double>(place.share());
    const double scale = 1.0 / ::sqrt(variance + epsilon);
    if (first == 0) {
      mean[row] = static_cast<R>(middle);
      inverse[row] = static_cast<R>(scale);
      if (mean_out != nullptr) mean_out[row] = static_cast<R>(middle);
      if (variance_out != nullptr) variance_out[row] = static_cast<R>(variance);
    }
    for (Index i = first; i < place.share(); i += step) {
      const Index at = place.element(row, i), c = place.channel(row, i);
      R v = (x[at] - static_cast<R>(middle)) * static_cast<R>(scale);
      if (weight != nullptr) v *= weight[c];
      y[at] = bias != nullptr ? v + bias[c] : v;
    }
  }
};
template <class R>
struct GroupNormBackRows {
  static constexpr int kStages = 2;
  GroupPlace place;
  const R *x, *weight, *dy, *mean, *inverse;
  R* dx;
  bool centred, add;
  SQUALL_HD R delta(Index row, Index i) const {
    const R d = dy[place.element(row, i)];
    return weight != nullptr ? d * weight[place.channel(row, i)] : d;
  }
  SQUALL_HD R standard(Index row, Index i) const { return (x[place.element(row, i)] - mean[row]) * inverse[row]; }
  SQUALL_HD double partial(int stage, Index row, Index first, Index step, const double*) const {
    double sum = 0;
    if (stage == 1 && !centred) return sum;
    for (Index i = first; i < place.share(); i += step) {
      const double d = static_cast<double>(delta(row, i));
      sum += stage == 0 ? d * static_cast<double>(standard(row, i)) : d;
    }
    return sum;
  }
  SQUALL_HD double combine(int, double a, double b) const { return a + b; }
  SQUALL_HD void finish(Index row, Index first, Index step, const double* totals) const {
    const double share = static_cast<double>(place.share());
    const R along = static_cast<R>(totals[0] / share), middle = static_cast<R>(totals[1] / share);
    for (Index i = first; i < place.share(); i += step) {
      const R d = delta(row, i) - standard(row, i) * along - middle;
      put(dx + place.element(row, i), d * inverse[row], add);
    }
  }
};
// Sums of dy xhat and of dy for each channel.
template <class R>
struct GroupDeltaSums {
  GroupPlace place;
  const R *x, *dy, *mean, *inverse;
  SQUALL_HD void operator()(Index spot, Index c, double& along, double& sum) const {
    const Index row = spot / place.pixels * place.groups + c / place.of_group();
    const Index i = spot * place.channels + c;
    along += static_cast<double>(dy[i]) * static_cast<double>((x[i] - mean[row]) * inverse[row]);
    sum += static_cast<double>(dy[i]);
  }
};

template <class R>
class GridGroupNorm final : public GroupNormPlan {
 public:
  GridGroupNorm(const GroupNormSpec& s, DType dtype, ContextPtr ctx) : GroupNormPlan(s), ctx_(std::move(ctx)) {
    mean_ = reserve_.book(dtype, {s.examples, s.groups});
    inverse_ = reserve_.book(dtype, {s.examples, s.groups});
  }
  std::string_view kind() const override { return "fused rows"; }
  std::size_t reserve_bytes() const override { return reserve_.bytes(); }
  void set_reserve(void* block) override { reserve_.set(block); }

 protected:
  void do_forward(const ConstTensor& x, const ConstTensor& weight, const ConstTensor& bias, const Tensor& y,
                  const Tensor& mean, const Tensor& variance) override {
    const GroupNormSpec& s = spec();
    rows(*ctx_, s.examples * s.groups, s.share(),
         GroupNormRows<R>{place(), x.as<R>(), data<R>(weight), data<R>(bias), y.as<R>(), kept(mean_), kept(inverse_),
                          data<R>(mean), data<R>(variance), s.epsilon, s.centred});
  }
  void do_backward(const ConstTensor& x, const ConstTensor& weight, const ConstTensor& dy, const Sink& dx,
                   const Sink& dweight, const Sink& dbias) override {
    const GroupNormSpec& s = spec();
    if (dweight || dbias)
      column_pairs(*ctx_, s.examples * s.pixels, s.channels,
                   GroupDeltaSums<R>{place(), x.as<R>(), dy.as<R>(), kept(mean_), kept(inverse_)},
                   DeltaTotals<R>{data<R>(dweight.to), data<R>(dbias.to), dweight.mode == Write::Add,
                                  dbias.mode == Write::Add, nullptr, nullptr, 1.0});
    if (dx)
      rows(*ctx_, s.examples * s.groups, s.share(),
           GroupNormBackRows<R>{place(), x.as<R>(), data<R>(weight), dy.as<R>(), kept(mean_), kept(inverse_),
                                dx.to.as<R>(), s.centred, dx.mode == Write::Add});
  }

 private:
  GroupPlace place() const { return {spec().pixels, spec().channels, spec().groups}; }
  R* kept(int part) const { return reserve_[part].template as<R>(); }

  ContextPtr ctx_;
  Booked reserve_;
  int mean_ = 0, inverse_ = 0;
};

template <class R>
class GridNorm final : public NormOps {
 public:
  explicit GridNorm(ContextPtr ctx) : ctx_(std::move(ctx)) {}

 protected:
  std::unique_ptr<BatchNormPlan> do_plan(const BatchNormSpec& s) override {
    if (s.rows == 0 || s.channels == 0) return nullptr;
    return std::make_unique<GridBatchNorm<R>>(s, handler().dtype(), ctx_);
  }
  std::unique_ptr<GroupNormPlan> do_plan(const GroupNormSpec& s) override {
    if (s.examples == 0 || s.share() == 0) return nullptr;
    return std::make_unique<GridGroupNorm<R>>(s, handler().dtype(), ctx_);
  }

 private:
  ContextPtr ctx_;
};

}  // namespace

template <class R>
std::unique_ptr<NormOps> make_norm(ContextPtr ctx) {
  return std::make_unique<GridNorm<R>>(std::move(ctx));
}
SQUALL_GRID_MAKER(NormOps, make_norm);

}  // namespace squall::cuda::SQUALL_GRID
