// Elementary operations over windows of images.
#include "cpu/windows.hpp"

#include "cpu/facets.hpp"

namespace squall::cpu {

namespace {

template <class R>
class CpuWindows final : public WindowOps {
 public:
  explicit CpuWindows(ContextPtr<R> ctx) : ctx_(std::move(ctx)) {}

 protected:
  void do_im2col(const ConstTensor& x, const Window& w, double pad, const Tensor& out) override {
    const Index size = w.taps() * w.channels;
    const Index rows = out.elements() / std::max<Index>(size, 1);
    const Index tile_rows = std::clamp<Index>(16384 / std::max<Index>(size, 1), 1, 4096);
    const R* in = x.as<R>();
    R* to = out.as<R>();
    ctx_->parallel().run(ceil_div(rows, tile_rows), rows * size >= kWorthElements, [&](Index tile, int) {
      const Index first = tile * tile_rows;
      copy_windows(in, w, static_cast<R>(pad), first, std::min(tile_rows, rows - first), to + first * size);
    });
  }
  void do_col2im(const ConstTensor& columns, const Window& w, const Sink& dx) override {
    const Index images = dx.to.elements() / std::max<Index>(image_size(w), 1);
    const Index size = w.taps() * w.channels;
    const Index per_image = pixels(w);
    const auto add = k().unary[at(Unary::Copy)][at(Write::Add)];
    const R* rows = columns.as<R>();
    R* to = dx.to.as<R>();
    const bool overwrite = dx.mode == Write::Overwrite;
    ctx_->parallel().run(images, images * per_image * size >= kWorthElements, [&](Index n, int) {
      R* image = to + n * image_size(w);
      if (overwrite) std::fill_n(image, image_size(w), R(0));
      add_windows(rows + n * per_image * size, w, {0, w.channels}, 0, per_image, image, add);
    });
  }
  void do_max_middle(const ConstTensor& x, const Tensor& value, const Tensor& place) override {
    const Index rows = x.shape()[0];
    const Index taps = x.shape()[1];
    const Index n = x.shape()[2];
    const R* in = x.as<R>();
    R* best = value.as<R>();
    auto* where = place.as<std::int32_t>();
    each_row(rows, taps * n, [&](Index r) {
      for (Index t = 0; t < taps; ++t) {
        const auto kernel = t == 0 ? k().max_first : k().max_next;
        kernel(n, in + (r * taps + t) * n, static_cast<std::int32_t>(t), best + r * n, where + r * n);
      }
    });
  }
  void do_put_middle(const ConstTensor& value, const ConstTensor& place, const Tensor& x) override {
    const Index rows = x.shape()[0];
    const Index taps = x.shape()[1];
    const Index n = x.shape()[2];
    const R* in = value.as<R>();
    const auto* where = place.as<std::int32_t>();
    R* to = x.as<R>();
    each_row(rows, taps * n, [&](Index r) {
      std::fill_n(to + r * taps * n, taps * n, R(0));
      for (Index t = 0; t < taps; ++t)
        k().put_where(n, in + r * n, where + r * n, static_cast<std::int32_t>(t), to + (r * taps + t) * n);
    });
  }

 private:
  const Kernels<R>& k() const { return ctx_->kernels(); }
  template <class F>
  void each_row(Index rows, Index size, const F& f) const {
    const Index tile_rows = std::clamp<Index>(16384 / std::max<Index>(size, 1), 1, 4096);
    ctx_->parallel().run(ceil_div(rows, tile_rows), rows * size >= kWorthElements, [&](Index tile, int) {
      const Index end = std::min(rows, (tile + 1) * tile_rows);
      for (Index r = tile * tile_rows; r < end; ++r) f(r);
    });
  }
  ContextPtr<R> ctx_;
};

}  // namespace

template <class R>
std::unique_ptr<WindowOps> make_windows(ContextPtr<R> ctx) {
  return std::make_unique<CpuWindows<R>>(std::move(ctx));
}
SQUALL_CPU_MAKER(WindowOps, make_windows);

}  // namespace squall::cpu
