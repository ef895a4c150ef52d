// Pooling: forward a thread for each element of the result, backward one for each element of the images, which looks at
// the windows that see it. So nothing is added by two threads, and always in the same order.
#include "cuda/facets.hpp"
#include "cuda/kernels/pool_index.hpp"

namespace squall::cuda::SQUALL_GRID {

namespace {

template <class R>
struct MaxForwardKernel {
  const R* x;
  R* y;
  std::int32_t* place;  // the pixel, -1: none
  PoolIndex at;
  SQUALL_HD void operator()(Index i) const {
    const PixelPlace o = at.output(i);
    R best = R(0);
    std::int32_t pixel = -1;
    const PoolTaps d = at.axis[0].taps[o.d], h = at.axis[1].taps[o.h], w = at.axis[2].taps[o.w];
    walk(d, h, w, [&](Index a, Index b, Index c) {
      const Index p = at.pixel(d.start + a * d.step, h.start + b * h.step, w.start + c * w.step);
      const R v = x[at.element(o.image, p, o.channel)];
      if (pixel >= 0 && !(v > best || (v != v && best == best))) return;
      best = v;
      pixel = static_cast<std::int32_t>(p);
    });
    y[i] = best;
    place[i] = pixel;
  }
};
template <class R>
struct MaxBackwardKernel {
  const R* dy;
  const std::int32_t* place;
  R* dx;
  PoolIndex at;
  bool add;
  SQUALL_HD void operator()(Index i) const {
    const PixelPlace p = at.input(i);
    const auto own = static_cast<std::int32_t>(at.pixel(p.d, p.h, p.w));
    R sum = R(0);
    const PoolSeen d = at.axis[0].seen[p.d], h = at.axis[1].seen[p.h], w = at.axis[2].seen[p.w];
    walk(d, h, w, [&](Index a, Index b, Index c) {
      const Index o = at.result(p.image, a, b, c, p.channel);
      if (place[o] == own) sum += dy[o];
    });
    put(dx + i, sum, add);
  }
};

template <class R>
struct AvgForwardKernel {
  const R* x;
  R* y;
  PoolIndex at;
  SQUALL_HD void operator()(Index i) const {
    const PixelPlace o = at.output(i);
    R sum = R(0);
    const PoolTaps d = at.axis[0].taps[o.d], h = at.axis[1].taps[o.h], w = at.axis[2].taps[o.w];
    walk(d, h, w, [&](Index a, Index b, Index c) {
      sum +=
          x[at.element(o.image, at.pixel(d.start + a * d.step, h.start + b * h.step, w.start + c * w.step), o.channel)];
    });
    y[i] = sum * static_cast<R>(at.share(o.d, o.h, o.w));
  }
};
template <class R>
struct AvgBackwardKernel {
  const R* dy;
  R* dx;
  PoolIndex at;
  bool add;
  SQUALL_HD void operator()(Index i) const {
    const PixelPlace p = at.input(i);
    R sum = R(0);
    const PoolSeen d = at.axis[0].seen[p.d], h = at.axis[1].seen[p.h], w = at.axis[2].seen[p.w];
    walk(d, h, w, [&](Index a, Index b, Index c) {
      if (at.axis[0].sees(a, p.d) && at.axis[1].sees(b, p.h) && at.axis[2].sees(c, p.w))
        sum += dy[at.result(p.image, a, b, c, p.channel)] * static_cast<R>(at.share(a, b, c));
    });
    put(dx + i, sum, add);
  }
};

template <class R>
class GridPool final : public PoolPlan {
 public:
  GridPool(const PoolSpec& spec, ContextPtr ctx, MemoryOps& memory)
      : PoolPlan(spec), ctx_(std::move(ctx)), tables_(spec, memory) {}
  std::string_view kind() const override { return "direct"; }
  std::size_t reserve_bytes() const override {
    return is_max() ? static_cast<std::size_t>(results()) * sizeof(std::int32_t) : 0;
  }
  void set_reserve(void* memory) override { place_ = static_cast<std::int32_t*>(memory); }

 protected:
  void do_forward(const ConstTensor& x, const Tensor& y) override {
    if (is_max())
      each(*ctx_, results(), MaxForwardKernel<R>{x.as<R>(), y.as<R>(), place_, tables_.index()});
    else
      each(*ctx_, results(), AvgForwardKernel<R>{x.as<R>(), y.as<R>(), tables_.index()});
  }
  void do_backward(const ConstTensor& dy, const Sink& dx) override {
    const Index n = dx.to.elements();
    const bool add = dx.mode == Write::Add;
    if (is_max())
      each(*ctx_, n, MaxBackwardKernel<R>{dy.as<R>(), place_, dx.to.as<R>(), tables_.index(), add});
    else
      each(*ctx_, n, AvgBackwardKernel<R>{dy.as<R>(), dx.to.as<R>(), tables_.index(), add});
  }
  void do_places(const Tensor& index) override {
    ctx_->copy(place_, index.data(), static_cast<std::size_t>(results()) * sizeof(std::int32_t));
  }

 private:
  bool is_max() const { return spec().kind == PoolKind::Max; }
  Index results() const { return spec().images * spec().outputs() * spec().window.channels; }
  ContextPtr ctx_;
  PoolTables tables_;
  std::int32_t* place_ = nullptr;
};

template <class R>
class GridPoolOps final : public PoolOps {
 public:
  explicit GridPoolOps(ContextPtr ctx) : ctx_(std::move(ctx)) {}

 protected:
  std::unique_ptr<PoolPlan> do_plan(const PoolSpec& spec) override {
    return std::make_unique<GridPool<R>>(spec, ctx_, handler().memory());
  }
  using PoolOps::do_plan;

 private:
  ContextPtr ctx_;
};

}  // namespace

template <class R>
std::unique_ptr<PoolOps> make_pool(ContextPtr ctx) {
  return std::make_unique<GridPoolOps<R>>(std::move(ctx));
}
SQUALL_GRID_MAKER(PoolOps, make_pool);

}  // namespace squall::cuda::SQUALL_GRID
