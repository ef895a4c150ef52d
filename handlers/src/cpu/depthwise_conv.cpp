// Depthwise convolution: every channel has filters of its own, so taps are vectors over the channels and there is no
// matrix product. Weights are turned to (filter of the channel, tap, channel) first.
#include "cpu/conv.hpp"
#include "cpu/finish.hpp"
#include "cpu/windows.hpp"

namespace squall::cpu {

namespace {

template <class R>
class DepthwiseConv final : public ConvPlan {
 public:
  DepthwiseConv(const ConvSpec& spec, ContextPtr<R> ctx)
      : ConvPlan(spec), ctx_(std::move(ctx)), parts_(std::min<Index>(spec.images, kMostParts)) {}
  std::string_view kind() const override { return "depthwise"; }
  std::size_t workspace_bytes() const override {
    return activate_back_bytes(rows(), spec().filters) +
           static_cast<std::size_t>((1 + parts_) * weights() + threads() * spec().filters) * sizeof(R);
  }
  void set_workspace(void* memory) override {
    sums_ = static_cast<double*>(memory);
    turned_ = reinterpret_cast<R*>(static_cast<std::byte*>(memory) + activate_back_bytes(rows(), spec().filters));
    partial_ = turned_ + weights();
    room_ = partial_ + parts_ * weights();
  }

 protected:
  void do_forward(const ConstTensor& x, const WeightRef& w, const ConstTensor& b, const Tensor& y) override {
    turn(w.values.as<R>(), turned_);
    const R* in = x.as<R>();
    const R* bias = b ? b.as<R>() : nullptr;
    R* out = y.as<R>();
    const Index width = spec().window.out_w();
    ctx_->parallel().run(rows() / width, worth(), [&](Index line, int worker) {
      R* sum = room_ + worker * spec().filters;
      each_place(spec().window, line * width, width, [&](Index image, const Place& place, Index p) {
        R* to = out + (line * width + p) * spec().filters;
        std::fill_n(sum, spec().filters, R(0));
        each_tap(image, place, [&](Index pixel, Index tap) {
          for (Index j = 0; j < copies(); ++j)
            multiply_add(in + pixel, turned_ + (j * taps() + tap) * channels(), sum + j * channels());
        });
        join(sum, to);
      });
      R* to = out + line * width * spec().filters;
      bias_activate(k(), spec().activation, {0, width}, {0, spec().filters}, bias, to, spec().filters);
    });
    if (spec().activation == Activation::Softmax) softmax_rows(*ctx_, rows(), spec().filters, out);
  }
  void do_backward(const ConstTensor& x, const WeightRef& w, const ConstTensor& y, const Tensor& dy, const Sink& dx,
                   const Sink& dw, const Sink& db) override {
    activate_back(*ctx_, spec().activation, rows(), spec().filters, y.as<R>(), dy.as<R>(), db, sums_);
    if (dx) do_input_gradient(w, dy, dx);
    if (dw) do_weight_gradient(x, dy, dw);
  }
  void do_input_gradient(const WeightRef& w, const ConstTensor& dy, const Sink& dx) override {
    turn(w.values.as<R>(), turned_);
    const Index image = image_size(spec().window);
    R* to = dx.to.as<R>();
    ctx_->parallel().run(spec().images, worth(), [&](Index n, int worker) {
      if (dx.mode == Write::Overwrite) std::fill_n(to + n * image, image, R(0));
      each_delta(dy.as<R>(), n, worker, [&](const R* delta, Index j, Index pixel, Index tap) {
        multiply_add(delta, turned_ + (j * taps() + tap) * channels(), to + pixel);
      });
    });
  }
  void do_weight_gradient(const ConstTensor& x, const ConstTensor& dy, const Sink& dw) override {
    const R* in = x.as<R>();
    ctx_->parallel().run(parts_, worth(), [&](Index part, int worker) {
      R* sum = partial_ + part * weights();
      std::fill_n(sum, weights(), R(0));
      const Span images = part_of(spec().images, parts_, part);
      for (Index n = images.first; n < images.first + images.count; ++n)
        each_delta(dy.as<R>(), n, worker, [&](const R* delta, Index j, Index pixel, Index tap) {
          multiply_add(delta, in + pixel, sum + (j * taps() + tap) * channels());
        });
    });
    for (Index part = 1; part < parts_; ++part)
      k().unary[at(Unary::Copy)][at(Write::Add)](weights(), partial_ + part * weights(), partial_);
    R* to = dw.to.as<R>();
    each_weight(
        [&](Index turned, Index own) { to[own] = partial_[turned] + (dw.mode == Write::Add ? to[own] : R(0)); });
  }

 private:
  static constexpr Index kMostParts = 16;
  Index threads() const { return ctx_->parallel().threads(); }
  Index channels() const { return spec().window.channels; }
  Index copies() const { return spec().group_filters(); }  // filters of one channel
  Index taps() const { return spec().window.taps(); }
  Index rows() const { return spec().images * pixels(spec().window); }
  Index weights() const { return spec().filters * taps(); }
  bool worth() const { return 2 * rows() * weights() >= kWorthFlops; }
  const Kernels<R>& k() const { return ctx_->kernels(); }
  void multiply_add(const R* a, const R* b, R* to) const {
    k().binary[at(Binary::Multiply)][at(Write::Add)](channels(), a, b, to);
  }
  // f(turned, own): places of the same weight.
  template <class F>
  void each_weight(const F& f) const {
    for (Index c = 0; c < channels(); ++c)
      for (Index j = 0; j < copies(); ++j)
        for (Index tap = 0; tap < taps(); ++tap)
          f((j * taps() + tap) * channels() + c, (c * copies() + j) * taps() + tap);
  }
  void turn(const R* w, R* to) const {
    each_weight([&](Index turned, Index own) { to[turned] = w[own]; });
  }
  // (filter of the channel, channel) as (channel, filter of the channel), and back.
  void join(const R* from, R* to) const {
    for (Index j = 0; j < copies(); ++j)
      for (Index c = 0; c < channels(); ++c) to[c * copies() + j] = from[j * channels() + c];
  }
  void part(const R* from, R* to) const {
    for (Index j = 0; j < copies(); ++j)
      for (Index c = 0; c < channels(); ++c) to[j * channels() + c] = from[c * copies() + j];
  }
  // f(offset of the pixel, tap) for the taps inside the image.
  template <class F>
  void each_tap(Index image, const Place& p, const F& f) const {
    const Window& w = spec().window;
    for (Index kd = p.d.first; kd < p.d.end; ++kd)
      for (Index kh = p.h.first; kh < p.h.end; ++kh)
        for (Index kw = p.w.first; kw < p.w.end; ++kw)
          f(image * image_size(w) + p.offset(w, kd, kh, kw), (kd * w.kernel_h + kh) * w.kernel_w + kw);
  }
  // f(deltas of all channels, filter of the channel, offset of the pixel, tap) for one image.
  template <class F>
  void each_delta(const R* dy, Index image, int worker, const F& f) const {
    const Index per_image = pixels(spec().window);
    R* delta = room_ + worker * spec().filters;
    each_place(spec().window, image * per_image, per_image, [&](Index n, const Place& place, Index p) {
      part(dy + (image * per_image + p) * spec().filters, delta);
      each_tap(n, place, [&](Index pixel, Index tap) {
        for (Index j = 0; j < copies(); ++j) f(delta + j * channels(), j, pixel, tap);
      });
    });
  }

  ContextPtr<R> ctx_;
  Index parts_;
  double* sums_ = nullptr;
  R *turned_ = nullptr, *partial_ = nullptr, *room_ = nullptr;
};

}  // namespace

template <class R>
std::unique_ptr<ConvPlan> depthwise_conv(const ConvSpec& spec, ContextPtr<R> ctx) {
  return std::make_unique<DepthwiseConv<R>>(spec, std::move(ctx));
}
template std::unique_ptr<ConvPlan> depthwise_conv<float>(const ConvSpec&, ContextPtr<float>);
template std::unique_ptr<ConvPlan> depthwise_conv<double>(const ConvSpec&, ContextPtr<double>);

}  // namespace squall::cpu
