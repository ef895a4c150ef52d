// Pooling: one pass over the output pixels, vectors over the channels.
#include "cpu/facets.hpp"
#include "cpu/windows.hpp"

namespace squall::cpu {

namespace {

template <class R>
class DirectPool final : public PoolPlan {
 public:
  DirectPool(const PoolSpec& spec, ContextPtr<R> ctx) : PoolPlan(spec), ctx_(std::move(ctx)) {}
  std::string_view kind() const override { return "direct"; }
  std::size_t reserve_bytes() const override {
    return is_max() ? static_cast<std::size_t>(outputs()) * sizeof(std::int32_t) : 0;
  }
  void set_reserve(void* memory) override { place_ = static_cast<std::int32_t*>(memory); }

 protected:
  void do_forward(const ConstTensor& x, const Tensor& y) override {
    const Window& w = spec().window;
    const R* in = x.as<R>();
    R* out = y.as<R>();
    const bool worth = outputs() * w.taps() >= kWorthElements;
    ctx_->parallel().run(spec().images * w.out_h(), worth, [&](Index line, int) {
      const R* image = in + line / w.out_h() * image_size(w);
      for (Index ox = 0; ox < w.out_w(); ++ox) {
        const Clip c(w, line % w.out_h(), ox);
        const Index to = (line * w.out_w() + ox) * w.channels;
        is_max() ? take_maximum(image, c, out + to, place_ + to) : take_mean(image, c, out + to);
      }
    });
  }
  void do_backward(const ConstTensor& dy, const Sink& dx) override {
    const Window& w = spec().window;
    const R* delta = dy.as<R>();
    R* to = dx.to.as<R>();
    const bool worth = outputs() * w.taps() >= kWorthElements;
    const bool overwrite = dx.mode == Write::Overwrite;
    ctx_->parallel().run(spec().images, worth, [&](Index n, int) {
      R* image = to + n * image_size(w);
      if (overwrite) std::fill_n(image, image_size(w), R(0));
      for (Index p = 0; p < pixels(w); ++p) {
        const Clip c(w, p / w.out_w(), p % w.out_w());
        const Index from = (n * pixels(w) + p) * w.channels;
        is_max() ? put_maximum(image, c, delta + from, place_ + from) : put_mean(image, c, delta + from);
      }
    });
  }

 private:
  bool is_max() const { return spec().kind == PoolKind::Max; }
  Index outputs() const { return spec().images * pixels(spec().window) * spec().window.channels; }
  const Kernels<R>& k() const { return ctx_->kernels(); }
  TapRange taps(const Clip& c) const {
    const Window& w = spec().window;
    return {w.channels, c.ky0, c.ky1, c.kx0, c.kx1, w.kernel_w, w.width * w.channels, c.offset(w, 0, 0)};
  }
  // f(offset) of the pixels inside the image.
  template <class F>
  void each_tap(const Clip& c, const F& f) const {
    const Window& w = spec().window;
    for (Index ky = c.ky0; ky < c.ky1; ++ky)
      for (Index kx = c.kx0; kx < c.kx1; ++kx) f(c.offset(w, ky, kx));
  }
  void take_maximum(const R* image, const Clip& c, R* y, std::int32_t* place) const {
    const Index n = spec().window.channels;
    if (c.count() == 0) {
      std::fill_n(y, n, R(0));
      std::fill_n(place, n, -1);
      return;
    }
    k().max_window(taps(c), image, y, place);
  }
  void take_mean(const R* image, const Clip& c, R* y) const {
    const Index n = spec().window.channels;
    std::fill_n(y, n, R(0));
    if (c.count() == 0) return;
    const auto add = k().unary[at(Unary::Copy)][at(Write::Add)];
    each_tap(c, [&](Index offset) { add(n, image + offset, y); });
    k().affine[at(Write::Overwrite)](n, y, R(1) / static_cast<R>(c.count()), R(0), y);
  }
  void put_maximum(R* image, const Clip& c, const R* dy, const std::int32_t* place) const {
    if (c.count() > 0) k().put_window(taps(c), dy, place, image);
  }
  void put_mean(R* image, const Clip& c, const R* dy) const {
    if (c.count() == 0) return;
    const R share = R(1) / static_cast<R>(c.count());
    each_tap(
        c, [&](Index offset) { k().affine[at(Write::Add)](spec().window.channels, dy, share, R(0), image + offset); });
  }
  ContextPtr<R> ctx_;
  std::int32_t* place_ = nullptr;  // tap of each maximum, -1 where there is none
};

template <class R>
class CpuPool final : public PoolOps {
 public:
  explicit CpuPool(ContextPtr<R> ctx) : ctx_(std::move(ctx)) {}

 protected:
  std::unique_ptr<PoolPlan> do_plan(const PoolSpec& spec) override {
    return std::make_unique<DirectPool<R>>(spec, ctx_);
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
