// Convolutions with a sparse weight: inference only. Images or tiles of them are interleaved, so that a window is found
// without being copied; volumes, dilated windows and single pixels of few images are computed as blocks of pixels.
#include <limits>

#include "cpu/conv.hpp"
#include "cpu/finish.hpp"
#include "cpu/image_blocks.hpp"

namespace squall::cpu {

namespace {

Index inner_of(const ConvSpec& s) { return s.window.taps() * s.window.channels; }
Index rows_of(const ConvSpec& s) { return s.images * pixels(s.window); }

// Blocks of output pixels: their windows are brought into feature-major order tap by tap, or, where channels are few,
// copied as rows first.
template <class R>
class PixelBlocks final : public PackedConv {
 public:
  PixelBlocks(const ConvSpec& spec, ContextPtr<R> ctx, Index width)
      : PackedConv(spec),
        ctx_(std::move(ctx)),
        w_(*spec.packed, {width}, [width](Index column) { return column * width; }) {
    w_.take_values(ctx_->parallel(), spec.packed->value.data(), true);
  }
  std::string_view kind() const override { return "sparse pixel blocks"; }
  std::size_t workspace_bytes() const override {
    return (run().workspace_elements() + static_cast<std::size_t>(ctx_->parallel().threads() * room())) * sizeof(R);
  }
  void set_workspace(void* memory) override {
    windows_ = static_cast<R*>(memory);
    workspace_ = windows_ + ctx_->parallel().threads() * room();
  }

 protected:
  void do_forward(const ConstTensor& x, const WeightRef&, const ConstTensor& b, const Tensor& y) override {
    R* out = y.as<R>();
    run()(Source{*this, x.as<R>()}, b ? b.as<R>() : nullptr, spec().activation, out, workspace_);
    if (spec().activation == Activation::Softmax) softmax_rows(*ctx_, rows_of(spec()), spec().filters, out);
  }

 private:
  static constexpr Index kWidest = 64, kFewChannels = 16;
  SparseRun<R> run() const { return SparseRun<R>(w_, rows_of(spec()), *ctx_); }
  bool whole_windows() const { return spec().window.channels < kFewChannels; }
  Index room() const { return whole_windows() ? w_.width() * inner_of(spec()) : 0; }

  struct Source {
    const PixelBlocks& plan;
    const R* x;
    Index parts() const { return plan.whole_windows() ? 1 : plan.spec().window.taps(); }
    void fill(Index block, Index part, int worker, R* to) const {
      plan.whole_windows() ? fill_windows(block, worker, to) : fill_tap(block, part, to);
    }
    void fill_windows(Index block, int worker, R* to) const {
      const Index width = plan.w_.width();
      const Index inner = inner_of(plan.spec());
      const Index there = std::min(width, rows_of(plan.spec()) - block * width);
      R* window = plan.windows_ + worker * plan.room();
      copy_windows(x, plan.spec().window, R(0), block * width, there, window);
      const R* rows[kWidest];
      for (Index i = 0; i < width; ++i) rows[i] = i < there ? window + i * inner : nullptr;
      plan.ctx_->kernels().transpose_rows(width, inner, rows, to, width);
    }
    void fill_tap(Index block, Index tap, R* to) const {
      const Window& w = plan.spec().window;
      const Index width = plan.w_.width();
      const Index kz = tap / (w.kernel_h * w.kernel_w);
      const Index ky = tap / w.kernel_w % w.kernel_h;
      const Index kx = tap % w.kernel_w;
      const R* pixel[kWidest];
      for (Index i = 0; i < width; ++i) {
        const Index p = block * width + i;
        const Index line = p / w.out_w();
        const Index plane = line / w.out_h() % w.out_d() * w.stride_d - w.front + kz * w.dilation_d;
        const Index row = line % w.out_h() * w.stride_h - w.top + ky * w.dilation_h;
        const Index column = p % w.out_w() * w.stride_w - w.left + kx * w.dilation_w;
        const bool inside = p < rows_of(plan.spec()) && plane >= 0 && plane < w.depth && row >= 0 && row < w.height &&
                            column >= 0 && column < w.width;
        const Index there = ((plane * w.height + row) * w.width + column) * w.channels;
        pixel[i] = inside ? x + p / pixels(w) * image_size(w) + there : nullptr;
      }
      plan.ctx_->kernels().transpose_rows(width, w.channels, pixel, to + tap * w.channels * width, width);
    }
  };
  ContextPtr<R> ctx_;
  SparseBlocks<R> w_;
  R *windows_ = nullptr, *workspace_ = nullptr;
};

template <class R>
class ImageBlocks final : public PackedConv {
 public:
  ImageBlocks(const ConvSpec& spec, const ImageTiles& tiles, ContextPtr<R> ctx)
      : PackedConv(spec),
        ctx_(std::move(ctx)),
        product_(spec.window, tiles, spec.filters, *ctx_),
        w_(image_weight(*spec.packed, product_)) {
    w_.take_values(ctx_->parallel(), spec.packed->value.data(), true);
  }
  std::string_view kind() const override { return "sparse image blocks"; }
  std::size_t workspace_bytes() const override {
    return static_cast<std::size_t>(ctx_->parallel().threads() * product_.room()) * sizeof(R);
  }
  void set_workspace(void* memory) override { rooms_ = static_cast<R*>(memory); }

 protected:
  void do_forward(const ConstTensor& x, const WeightRef&, const ConstTensor& b, const Tensor& y) override {
    product_.run(w_, x.as<R>(), b ? b.as<R>() : nullptr, spec().activation, rooms_, y.as<R>());
    if (spec().activation == Activation::Softmax) softmax_rows(*ctx_, rows_of(spec()), spec().filters, y.as<R>());
  }

 private:
  ContextPtr<R> ctx_;
  ImageProduct<R> product_;
  SparseBlocks<R> w_;
  R* rooms_ = nullptr;
};

}  // namespace

template <class R>
std::unique_ptr<ConvPlan> sparse_conv(const ConvSpec& spec, ContextPtr<R> ctx) {
  constexpr Index kManyImages = 8;
  constexpr double kWorthUsed =
      0.6;  // below it pixel blocks, which bring each tap of a window to its place, are faster
  const Window& w = spec.window;
  const PixelBlock block(ctx->kernels());
  const ImageTiles tiles = ImageTiles::best(w, spec.images, block);
  const Interleaved layout(w, tiles, block);
  const bool plain = w.flat() && !w.dilated();
  const bool fits = plain && layout.group() < std::numeric_limits<std::int32_t>::max();
  const bool few = w.taps() > 1 && tiles.used(w, block) >= kWorthUsed;
  if ((spec.images >= kManyImages || few) && fits) return std::make_unique<ImageBlocks<R>>(spec, tiles, std::move(ctx));
  const Index width = block_width(rows_of(spec), ctx->kernels().sparse_widest);
  return std::make_unique<PixelBlocks<R>>(spec, std::move(ctx), width);
}
template std::unique_ptr<ConvPlan> sparse_conv<float>(const ConvSpec&, ContextPtr<float>);
template std::unique_ptr<ConvPlan> sparse_conv<double>(const ConvSpec&, ContextPtr<double>);

}  // namespace squall::cpu
