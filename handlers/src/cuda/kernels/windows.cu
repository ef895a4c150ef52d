// Elementary operations over windows of images: one thread for each element of the result.
#include "cuda/facets.hpp"
#include "cuda/grid.hpp"
#include "cuda/kernels/window_index.hpp"

namespace squall::cuda::SQUALL_GRID {

namespace {

template <class R>
struct Im2colKernel {
  const R* x;
  R* out;
  WindowIndex w;
  R pad;
  SQUALL_HD void operator()(Index i) const {
    const ColumnPlace at = w.column(i);
    const Index from = w.pixel(at);
    out[i] = from < 0 ? pad : x[from];
  }
};
template <class R>
struct Col2imKernel {
  const R* columns;
  R* dx;
  WindowIndex w;
  bool add;
  SQUALL_HD void operator()(Index i) const {
    const PixelPlace at = w.place(i);
    R sum = R(0);
    walk(w.taps(0), w.taps(1), w.taps(2), [&](Index kd, Index kh, Index kw) {
      const Index od = w.axis[0].output(at.d, kd), oh = w.axis[1].output(at.h, kh), ow = w.axis[2].output(at.w, kw);
      if (od < 0 || oh < 0 || ow < 0) return;
      sum += columns[w.column_offset(at.image, od, oh, ow, kd, kh, kw) + at.channel];
    });
    put(dx + i, sum, add);
  }
};
// Thread i: row i / n, column i % n. The first maximum wins; NaN wins and stays.
template <class R>
struct MaxMiddleKernel {
  const R* x;
  R* value;
  std::int32_t* place;
  Index taps, n;
  SQUALL_HD void operator()(Index i) const {
    const R* in = x + i / n * taps * n + i % n;
    R best = in[0];
    std::int32_t at = 0;
    for (Index t = 1; t < taps; ++t) {
      const R v = in[t * n];
      if (!(v > best || (v != v && best == best))) continue;
      best = v;
      at = static_cast<std::int32_t>(t);
    }
    value[i] = best;
    place[i] = at;
  }
};
template <class R>
struct PutMiddleKernel {
  const R* value;
  const std::int32_t* place;
  R* x;
  Index taps, n;
  SQUALL_HD void operator()(Index i) const {
    const Index column = i % n, tap = i / n % taps, row = i / n / taps;
    const Index from = row * n + column;
    x[i] = place[from] == tap ? value[from] : R(0);
  }
};

template <class R>
class GridWindows final : public WindowOps {
 public:
  explicit GridWindows(ContextPtr ctx) : ctx_(std::move(ctx)) {}

 protected:
  void do_im2col(const ConstTensor& x, const Window& w, double pad, const Tensor& out) override {
    each(*ctx_, out.elements(), Im2colKernel<R>{x.as<R>(), out.as<R>(), WindowIndex(w), static_cast<R>(pad)});
  }
  void do_col2im(const ConstTensor& columns, const Window& w, const Sink& dx) override {
    each(*ctx_, dx.to.elements(),
         Col2imKernel<R>{columns.as<R>(), dx.to.as<R>(), WindowIndex(w), dx.mode == Write::Add});
  }
  void do_max_middle(const ConstTensor& x, const Tensor& value, const Tensor& place) override {
    each(*ctx_, value.elements(),
         MaxMiddleKernel<R>{x.as<R>(), value.as<R>(), place.as<std::int32_t>(), x.shape()[1], x.shape()[2]});
  }
  void do_put_middle(const ConstTensor& value, const ConstTensor& place, const Tensor& x) override {
    each(*ctx_, x.elements(),
         PutMiddleKernel<R>{value.as<R>(), place.as<std::int32_t>(), x.as<R>(), x.shape()[1], x.shape()[2]});
  }

 private:
  ContextPtr ctx_;
};

}  // namespace

template <class R>
std::unique_ptr<WindowOps> make_windows(ContextPtr ctx) {
  return std::make_unique<GridWindows<R>>(std::move(ctx));
}
SQUALL_GRID_MAKER(WindowOps, make_windows);

}  // namespace squall::cuda::SQUALL_GRID
