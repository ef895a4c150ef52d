// Normalisation of each example alone: rows with one statistic each (layer norm), or images with one for each group of
// channels, which go by columns as batch norm does. Sums in double precision; partial sums of fixed parts.
#include "cpu/group_norm.hpp"

#include <cmath>

#include "cpu/reduce.hpp"

namespace squall::cpu {

namespace {

template <class R>
class GroupNormBase : public GroupNormPlan {
 public:
  GroupNormBase(const GroupNormSpec& spec, ContextPtr<R> ctx) : GroupNormPlan(spec), ctx_(std::move(ctx)) {}
  std::size_t workspace_bytes() const override {
    return partial_sums() * sizeof(double) +
           static_cast<std::size_t>(2 * c() + ctx_->parallel().threads() * own()) * sizeof(R);
  }
  std::size_t reserve_bytes() const override {
    return 2 * static_cast<std::size_t>(spec().examples * spec().groups) * sizeof(R);
  }
  void set_workspace(void* memory) override {
    sums_ = static_cast<double*>(memory);
    ones_ = reinterpret_cast<R*>(sums_ + partial_sums());
  }
  void set_reserve(void* memory) override { mean_ = static_cast<R*>(memory); }

 protected:
  Index c() const { return spec().channels; }
  R* inverse() const { return mean_ + spec().examples * spec().groups; }
  const Kernels<R>& k() const { return ctx_->kernels(); }
  bool worth() const { return spec().examples * spec().pixels * c() >= kWorthElements; }
  const R* weight_or_ones(const ConstTensor& weight) const {
    if (weight) return weight.as<R>();
    std::fill_n(ones_, c(), R(1));
    return ones_;
  }
  const R* bias_or_zeros(const ConstTensor& bias) const {
    if (bias) return bias.as<R>();
    std::fill_n(ones_ + c(), c(), R(0));
    return ones_ + c();
  }
  // Memory of one worker.
  R* own_memory(int worker) const { return ones_ + 2 * c() + worker * own(); }
  void keep(Index statistic, double mean, double variance, const Tensor& means, const Tensor& variances) const {
    mean_[statistic] = static_cast<R>(mean);
    inverse()[statistic] = static_cast<R>(1.0 / std::sqrt(variance + spec().epsilon));
    if (means) means.as<R>()[statistic] = static_cast<R>(mean);
    if (variances) variances.as<R>()[statistic] = static_cast<R>(variance);
  }
  // The sums of dy and of dy xhat lie one after another for each part.
  void put_gradients(Index parts, const Sink& dweight, const Sink& dbias) const {
    const auto put = [&](const Sink& sink, Index first) {
      if (!sink) return;
      R* to = sink.to.as<R>();
      for (Index j = 0; j < c(); ++j) {
        double total = 0;
        for (Index part = 0; part < parts; ++part) total += sums_[2 * part * c() + first + j];
        to[j] = sink.mode == Write::Add ? to[j] + static_cast<R>(total) : static_cast<R>(total);
      }
    };
    put(dbias, 0);
    put(dweight, c());
  }
  virtual Index own() const = 0;  // numbers that each worker needs
  virtual std::size_t partial_sums() const = 0;

  ContextPtr<R> ctx_;
  double* sums_ = nullptr;
  R* ones_ = nullptr;  // ones, zeros, memory of the workers
  R* mean_ = nullptr;  // reserve: mean, inverse spread
};

// Rows with one mean and spread.
template <class R>
class NormOfRows final : public GroupNormBase<R> {
 public:
  NormOfRows(const GroupNormSpec& s, ContextPtr<R> ctx)
      : GroupNormBase<R>(s, std::move(ctx)), chunks_(row_chunks(s.examples)) {}
  std::string_view kind() const override { return "rows"; }

 protected:
  using GroupNormBase<R>::c, GroupNormBase<R>::k, GroupNormBase<R>::spec, GroupNormBase<R>::mean_;
  using GroupNormBase<R>::inverse, GroupNormBase<R>::sums_;
  Index own() const override { return 0; }
  std::size_t partial_sums() const override { return static_cast<std::size_t>(2 * chunks_ * spec().channels); }

  void do_forward(const ConstTensor& x, const ConstTensor& weight, const ConstTensor& bias, const Tensor& y,
                  const Tensor& means, const Tensor& variances) override {
    const R* w = this->weight_or_ones(weight);
    const R* b = this->bias_or_zeros(bias);
    const auto n = static_cast<double>(c());
    each_row([&](Index row, Index) {
      const R* in = x.as<R>() + row * c();
      const double mean = spec().centred ? k().sum(c(), in) / n : 0.0;
      const double variance = k().row_norm.squares_about(c(), in, static_cast<R>(mean)) / n;
      this->keep(row, mean, variance, means, variances);
      k().row_norm.normalise(c(), in, mean_[row], inverse()[row], w, b, y.as<R>() + row * c());
    });
  }
  void do_backward(const ConstTensor& x, const ConstTensor& weight, const ConstTensor& dy, const Sink& dx,
                   const Sink& dweight, const Sink& dbias) override {
    const R* w = this->weight_or_ones(weight);
    const bool gradients = dweight || dbias;
    const auto n = static_cast<double>(c());
    std::fill_n(sums_, partial_sums(), 0.0);
    each_row([&](Index row, Index chunk) {
      const R* in = x.as<R>() + row * c();
      const R* delta = dy.as<R>() + row * c();
      const R spread = inverse()[row];
      double* columns = sums_ + 2 * chunk * c();
      if (gradients) k().row_norm.columns(c(), in, mean_[row], spread, delta, columns, columns + c());
      if (!dx) return;
      double sums[2];
      k().row_norm.products(c(), in, mean_[row], spread, w, delta, sums);
      const R a = spec().centred ? static_cast<R>(sums[0] / n) : R(0);
      const R b = static_cast<R>(sums[1] / n) * spread;
      k().row_norm.back[at(dx.mode)](c(), in, mean_[row], spread, w, a, b, delta, dx.to.as<R>() + row * c());
    });
    this->put_gradients(chunks_, dweight, dbias);
  }

 private:
  template <class F>
  void each_row(const F& f) const {
    this->ctx_->parallel().run(chunks_, this->worth(), [&](Index chunk, int) {
      const Span part = part_of(spec().examples, chunks_, chunk);
      for (Index row = part.first; row < part.first + part.count; ++row) f(row, chunk);
    });
  }
  Index chunks_;
};

// Images with one mean and spread for each group of channels, which are written out for all channels.
template <class R>
class NormOfImages final : public GroupNormBase<R> {
 public:
  using GroupNormBase<R>::GroupNormBase;
  std::string_view kind() const override { return "images"; }

 protected:
  using GroupNormBase<R>::c, GroupNormBase<R>::k, GroupNormBase<R>::spec, GroupNormBase<R>::mean_;
  using GroupNormBase<R>::inverse, GroupNormBase<R>::sums_;
  Index own() const override { return 4 * spec().channels; }
  std::size_t partial_sums() const override { return static_cast<std::size_t>(2 * spec().examples * spec().channels); }

  void do_forward(const ConstTensor& x, const ConstTensor& weight, const ConstTensor& bias, const Tensor& y,
                  const Tensor& means, const Tensor& variances) override {
    const R* w = this->weight_or_ones(weight);
    const R* b = this->bias_or_zeros(bias);
    each_image([&](Index image, R* mean, double* sums) {
      const R* in = x.as<R>() + image * size();
      R* spread = mean + c();
      k().column_sums(spec().pixels, c(), in, c(), sums);
      each_group([&](Index g, Index first) {
        const double of_group = spec().centred ? group_sum(sums + first) : 0.0;
        std::fill_n(mean + first, width(), static_cast<R>(of_group));
        mean_[image * spec().groups + g] = static_cast<R>(of_group);
      });
      double* squares = sums + c();
      k().column_squares(spec().pixels, c(), in, mean, squares);
      each_group([&](Index g, Index first) {
        const Index statistic = image * spec().groups + g;
        this->keep(statistic, static_cast<double>(mean[first]), group_sum(squares + first), means, variances);
        std::fill_n(spread + first, width(), inverse()[statistic]);
      });
      k().normalise(spec().pixels, c(), in, mean, spread, w, b, y.as<R>() + image * size());
    });
  }
  void do_backward(const ConstTensor& x, const ConstTensor& weight, const ConstTensor& dy, const Sink& dx,
                   const Sink& dweight, const Sink& dbias) override {
    const R* w = this->weight_or_ones(weight);
    each_image([&](Index image, R* mean, double* sums) {
      const R* in = x.as<R>() + image * size();
      const R* delta = dy.as<R>() + image * size();
      R* spread = mean + c();
      each_group([&](Index g, Index first) {
        std::fill_n(mean + first, width(), mean_[image * spec().groups + g]);
        std::fill_n(spread + first, width(), inverse()[image * spec().groups + g]);
      });
      k().column_products(spec().pixels, c(), in, mean, spread, delta, sums, sums + c());
      if (!dx) return;
      R *a = mean + 2 * c(), *b = mean + 3 * c();
      each_group([&](Index, Index first) {
        const auto shift = static_cast<R>(spec().centred ? weighted_sum(w + first, sums + first) : 0.0);
        const auto slope = static_cast<R>(weighted_sum(w + first, sums + c() + first));
        std::fill_n(a + first, width(), shift);
        std::fill_n(b + first, width(), slope * spread[first]);
      });
      k().row_norm.back_columns[at(dx.mode)](spec().pixels, c(), in, mean, spread, w, a, b, delta,
                                             dx.to.as<R>() + image * size());
    });
    this->put_gradients(spec().examples, dweight, dbias);
  }

 private:
  Index size() const { return spec().pixels * c(); }
  Index width() const { return c() / spec().groups; }
  double group_sum(const double* sums) const {
    double total = 0;
    for (Index j = 0; j < width(); ++j) total += sums[j];
    return total / static_cast<double>(spec().share());
  }
  double weighted_sum(const R* weight, const double* sums) const {
    double total = 0;
    for (Index j = 0; j < width(); ++j) total += static_cast<double>(weight[j]) * sums[j];
    return total / static_cast<double>(spec().share());
  }
  template <class F>
  void each_group(const F& f) const {
    for (Index g = 0; g < spec().groups; ++g) f(g, g * width());
  }
  template <class F>
  void each_image(const F& f) const {
    this->ctx_->parallel().run(spec().examples, this->worth(), [&](Index image, int worker) {
      double* sums = sums_ + 2 * image * c();
      std::fill_n(sums, 2 * c(), 0.0);
      f(image, this->own_memory(worker), sums);
    });
  }
};

}  // namespace

template <class R>
std::unique_ptr<GroupNormPlan> make_group_norm(const GroupNormSpec& spec, ContextPtr<R> ctx) {
  if (spec.pixels == 1 && spec.groups == 1) return std::make_unique<NormOfRows<R>>(spec, std::move(ctx));
  return std::make_unique<NormOfImages<R>>(spec, std::move(ctx));
}
template std::unique_ptr<GroupNormPlan> make_group_norm<float>(const GroupNormSpec&, ContextPtr<float>);
template std::unique_ptr<GroupNormPlan> make_group_norm<double>(const GroupNormSpec&, ContextPtr<double>);

}  // namespace squall::cpu
