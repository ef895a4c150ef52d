// Pooling: one pass over the output pixels, vectors over the channels.
#include "cpu/facets.hpp"
#include "cpu/windows.hpp"

namespace squall::cpu {

namespace {

template <class R>
class DirectPool final : public PoolPlan {
 public:
  DirectPool(const PoolSpec& spec, ContextPtr<R> ctx)
      : PoolPlan(spec),
        ctx_(std::move(ctx)),
        depth_(pool_taps(spec, 0)),
        height_(pool_taps(spec, 1)),
        width_(pool_taps(spec, 2)),
        kernel_h_(pool_kernel(spec, 1)),
        kernel_w_(pool_kernel(spec, 2)),
        per_image_(spec.outputs()),
        taps_(pool_kernel(spec, 0) * kernel_h_ * kernel_w_),
        line_(spec.window.width * spec.window.channels),
        plane_(spec.window.height * line_) {}
  std::string_view kind() const override { return "direct"; }
  std::size_t reserve_bytes() const override {
    return is_max() ? static_cast<std::size_t>(outputs()) * sizeof(std::int32_t) : 0;
  }
  void set_reserve(void* memory) override { place_ = static_cast<std::int32_t*>(memory); }

 protected:
  void do_forward(const ConstTensor& x, const Tensor& y) override {
    const R* in = x.as<R>();
    R* out = y.as<R>();
    ctx_->parallel().run(spec().images * lines(), worth(), [&](Index line, int) {
      const R* image = in + line / lines() * image_size(spec().window);
      each_view(line % lines(), 1, [&](const View& v, Index p) {
        const Index to = (line * size(width_) + p) * channels();
        is_max() ? take_maximum(image, v, out + to, place_ + to) : take_mean(image, v, out + to);
      });
    });
  }
  void do_backward(const ConstTensor& dy, const Sink& dx) override {
    const Index in_image = image_size(spec().window);
    const R* delta = dy.as<R>();
    R* to = dx.to.as<R>();
    const bool overwrite = dx.mode == Write::Overwrite;
    ctx_->parallel().run(spec().images, worth(), [&](Index n, int) {
      R* image = to + n * in_image;
      if (overwrite) std::fill_n(image, in_image, R(0));
      each_view(0, lines(), [&](const View& v, Index p) {
        const Index from = (n * per_image_ + p) * channels();
        is_max() ? put_maximum(image, v, delta + from, place_ + from) : put_mean(image, v, delta + from);
      });
    });
  }
  void do_places(const Tensor& index) override {
    auto* out = index.as<std::int32_t>();
    const Window& w = spec().window;
    for (Index i = 0; i < outputs(); ++i) {
      const View v = view(i / channels() % per_image_);
      const Index tap = place_[i];
      const Index d = v.d->start + tap / (kernel_h_ * kernel_w_) * v.d->step;
      const Index h = v.h->start + tap / kernel_w_ % kernel_h_ * v.h->step;
      const Index c = v.w->start + tap % kernel_w_ * v.w->step;
      out[i] = tap < 0 ? -1 : static_cast<std::int32_t>((d * w.height + h) * w.width + c);
    }
  }

 private:
  // What one output pixel sees.
  struct View {
    const PoolTaps *d, *h, *w;
    Index inside() const { return (d->end - d->first) * (h->end - h->first) * (w->end - w->first); }
    Index counted() const { return d->counted * h->counted * w->counted; }
  };
  static Index size(const std::vector<PoolTaps>& taps) { return static_cast<Index>(taps.size()); }
  Index lines() const { return size(depth_) * size(height_); }  // of one image
  View view(Index p) const {                                    // of one image
    const Index line = p / size(width_);
    return {depth_.data() + line / size(height_), height_.data() + line % size(height_),
            width_.data() + p % size(width_)};
  }
  // f(view, number) for the output pixels of so many lines of an image.
  template <class F>
  void each_view(Index first, Index count, const F& f) const {
    Index p = 0;
    for (Index line = first; line < first + count; ++line) {
      const PoolTaps* d = depth_.data() + line / size(height_);
      const PoolTaps* h = height_.data() + line % size(height_);
      for (const PoolTaps& w : width_) f(View{d, h, &w}, p++);
    }
  }
  bool is_max() const { return spec().kind == PoolKind::Max; }
  bool worth() const { return outputs() * taps_ >= kWorthElements; }
  Index channels() const { return spec().window.channels; }
  Index outputs() const { return spec().images * per_image_ * channels(); }
  const Kernels<R>& k() const { return ctx_->kernels(); }
  TapRange taps(const View& v) const {
    TapRange t;
    t.channels = channels();
    t.z0 = v.d->first, t.z1 = v.d->end, t.y0 = v.h->first, t.y1 = v.h->end, t.x0 = v.w->first, t.x1 = v.w->end;
    t.kernel_plane = kernel_h_ * kernel_w_;
    t.kernel_w = kernel_w_;
    t.plane = v.d->step * plane_;
    t.line = v.h->step * line_;
    t.step = v.w->step * channels();
    t.origin = v.d->start * plane_ + v.h->start * line_ + v.w->start * channels();
    return t;
  }
  // f(offset) of the pixels inside the image.
  template <class F>
  void each_tap(const View& v, const F& f) const {
    const TapRange t = taps(v);
    for (Index z = t.z0; z < t.z1; ++z)
      for (Index y = t.y0; y < t.y1; ++y)
        for (Index x = t.x0; x < t.x1; ++x) f(t.origin + z * t.plane + y * t.line + x * t.step);
  }
  R share(const View& v) const {
    const Index count = spec().divisor > 0 ? spec().divisor : std::max<Index>(v.counted(), 1);
    return R(1) / static_cast<R>(count);
  }
  void take_maximum(const R* image, const View& v, R* y, std::int32_t* place) const {
    if (v.inside() == 0) {
      std::fill_n(y, channels(), R(0));
      std::fill_n(place, channels(), -1);
      return;
    }
    k().max_window(taps(v), image, y, place);
  }
  void take_mean(const R* image, const View& v, R* y) const {
    const Index n = channels();
    std::fill_n(y, n, R(0));
    if (v.inside() == 0) return;
    const auto add = k().unary[at(Unary::Copy)][at(Write::Add)];
    each_tap(v, [&](Index offset) { add(n, image + offset, y); });
    k().affine[at(Write::Overwrite)](n, y, share(v), R(0), y);
  }
  void put_maximum(R* image, const View& v, const R* dy, const std::int32_t* place) const {
    if (v.inside() > 0) k().put_window(taps(v), dy, place, image);
  }
  void put_mean(R* image, const View& v, const R* dy) const {
    if (v.inside() == 0) return;
    const R part = share(v);
    each_tap(v, [&](Index offset) { k().affine[at(Write::Add)](channels(), dy, part, R(0), image + offset); });
  }

  ContextPtr<R> ctx_;
  std::vector<PoolTaps> depth_, height_, width_;
  Index kernel_h_, kernel_w_, per_image_, taps_, line_, plane_;
  std::int32_t* place_ = nullptr;  // tap of each maximum, -1 where there is none
};

// A few input pixels for each output pixel; the way back goes over the images.
template <class R>
class DirectPixelMap final : public PixelMapPlan {
 public:
  DirectPixelMap(const PixelMapSpec& spec, ContextPtr<R> ctx) : PixelMapPlan(spec), ctx_(std::move(ctx)) {
    for (const double w : spec.weight) weight_.push_back(static_cast<R>(w));
    if (weight_.empty()) weight_.assign(spec.index.size(), R(1));
  }
  std::string_view kind() const override { return "direct"; }

 protected:
  void do_forward(const ConstTensor& x, const Tensor& y) override {
    const PixelMapSpec& s = spec();
    const R* in = x.as<R>();
    R* out = y.as<R>();
    constexpr Index kTile = 64;
    const Index tiles = ceil_div(s.outputs, kTile);
    ctx_->parallel().run(s.images * tiles, worth(), [&](Index tile, int) {
      const Index n = tile / tiles;
      const Index first = tile % tiles * kTile;
      for (Index p = first; p < std::min(first + kTile, s.outputs); ++p) {
        R* to = out + (n * s.outputs + p) * s.channels;
        each_tap(p, [&](Index pixel, R weight, bool add) {
          move(in + (n * s.inputs + pixel) * s.channels, weight, add, to);
        });
      }
    });
  }
  void do_backward(const ConstTensor& dy, const Sink& dx) override {
    const PixelMapSpec& s = spec();
    const R* delta = dy.as<R>();
    R* to = dx.to.as<R>();
    const bool overwrite = dx.mode == Write::Overwrite;
    ctx_->parallel().run(s.images, worth(), [&](Index n, int) {
      R* image = to + n * s.inputs * s.channels;
      if (overwrite) std::fill_n(image, s.inputs * s.channels, R(0));
      for (Index p = 0; p < s.outputs; ++p)
        each_tap(p, [&](Index pixel, R weight, bool) {
          move(delta + (n * s.outputs + p) * s.channels, weight, true, image + pixel * s.channels);
        });
    });
  }

 private:
  bool worth() const { return spec().images * spec().outputs * spec().taps * spec().channels >= kWorthElements; }
  template <class F>
  void each_tap(Index p, const F& f) const {
    for (Index k = 0; k < spec().taps; ++k) {
      const auto e = static_cast<std::size_t>(p * spec().taps + k);
      f(Index{spec().index[e]}, weight_[e], k > 0);
    }
  }
  void move(const R* from, R weight, bool add, R* to) const {
    const Index n = spec().channels;
    if (n == 1) {
      *to = weight * *from + (add ? *to : R(0));
      return;
    }
    ctx_->kernels().affine[at(add ? Write::Add : Write::Overwrite)](n, from, weight, R(0), to);
  }

  ContextPtr<R> ctx_;
  std::vector<R> weight_;
};

template <class R>
class CpuPool final : public PoolOps {
 public:
  explicit CpuPool(ContextPtr<R> ctx) : ctx_(std::move(ctx)) {}

 protected:
  std::unique_ptr<PoolPlan> do_plan(const PoolSpec& spec) override {
    return std::make_unique<DirectPool<R>>(spec, ctx_);
  }
  std::unique_ptr<PixelMapPlan> do_plan(const PixelMapSpec& spec) override {
    return std::make_unique<DirectPixelMap<R>>(spec, ctx_);
  }

 private:
  ContextPtr<R> ctx_;
};

}  // namespace

template <class R>
std::unique_ptr<PoolOps> make_pool(ContextPtr<R> ctx) {
  return std::make_unique<CpuPool<R>>(std::move(ctx));
}
SQUALL_CPU_MAKER(PoolOps, make_pool);

}  // namespace squall::cpu
