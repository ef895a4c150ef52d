// Convolutions with a sparse weight: inference only. Many images are interleaved, so that a window is found without
// being copied; few images are computed as blocks of output pixels.
#include <limits>

#include "cpu/conv.hpp"
#include "cpu/finish.hpp"
#include "cpu/sparse_blocks.hpp"
#include "cpu/windows.hpp"

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
        w_(*spec.packed, width, [width](Index column) { return column * width; }) {}
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

// Images padded with zeros and interleaved: (groups of kImageLanes images, height, width, channels, image).
struct Interleaved {
  Index height, width, channels, groups;

  Interleaved(const ConvSpec& s, Index pixels_at_once)
      : height((s.window.out_h() - 1) * s.window.stride_h + s.window.kernel_h),
        width((std::max(s.window.out_w(), pixels_at_once) - 1) * s.window.stride_w + s.window.kernel_w),
        channels(s.window.channels),
        groups(ceil_div(s.images, kImageLanes)) {}
  Index line() const { return width * channels * kImageLanes; }
  Index group() const { return height * line(); }
  // Where tap and channel of a weight's column are, from the window's corner.
  Index place(const Window& w, Index column) const {
    const Index tap = column / channels;
    return (tap / w.kernel_w * width + tap % w.kernel_w) * channels * kImageLanes + column % channels * kImageLanes;
  }
};

template <class R>
class ImageBlocks final : public PackedConv {
 public:
  ImageBlocks(const ConvSpec& spec, ContextPtr<R> ctx, const Interleaved& layout)
      : PackedConv(spec),
        ctx_(std::move(ctx)),
        layout_(layout),
        w_(*spec.packed, ctx_->kernels().sparse_pixels * kImageLanes,
           [&](Index column) { return layout.place(spec.window, column); }) {}
  std::string_view kind() const override { return "sparse image blocks"; }
  std::size_t workspace_bytes() const override {
    return static_cast<std::size_t>(layout_.groups * layout_.group() + ctx_->parallel().threads() * w_.sums()) *
           sizeof(R);
  }
  void set_workspace(void* memory) override {
    images_ = static_cast<R*>(memory);
    sums_ = images_ + layout_.groups * layout_.group();
  }

 protected:
  void do_forward(const ConstTensor& x, const WeightRef&, const ConstTensor& b, const Tensor& y) override {
    const Window& w = spec().window;
    const R* in = x.as<R>();
    const R* bias = b ? b.as<R>() : nullptr;
    R* out = y.as<R>();
    const bool worth = 2 * w_.stored() * rows_of(spec()) >= kWorthFlops;
    ctx_->parallel().run(layout_.groups * layout_.height, worth,
                         [&](Index tile, int) { interleave(in, tile / layout_.height, tile % layout_.height); });
    ctx_->parallel().run(layout_.groups * w.out_h(), worth, [&](Index tile, int worker) {
      compute_line(tile / w.out_h(), tile % w.out_h(), bias, sums_ + worker * w_.sums(), out);
    });
    if (spec().activation == Activation::Softmax) softmax_rows(*ctx_, rows_of(spec()), spec().filters, out);
  }

 private:
  const Kernels<R>& k() const { return ctx_->kernels(); }
  Index images_in(Index group) const { return std::min<Index>(kImageLanes, spec().images - group * kImageLanes); }

  // One padded line of a group of images.
  void interleave(const R* x, Index group, Index line) const {
    const Window& w = spec().window;
    R* to = images_ + group * layout_.group() + line * layout_.line();
    const Index row = line - w.top;
    const Index left = std::min(w.left, layout_.width);
    const Index there = row >= 0 && row < w.height ? std::min(w.width, layout_.width - left) : 0;
    const Index pixel = layout_.channels * kImageLanes;
    std::fill_n(to, left * pixel, R(0));
    std::fill(to + (left + there) * pixel, to + layout_.line(), R(0));
    const R* rows[kImageLanes];
    for (Index i = 0; i < kImageLanes; ++i)
      rows[i] = i < images_in(group)
                    ? x + (group * kImageLanes + i) * image_size(w) + std::max<Index>(row, 0) * w.width * w.channels
                    : nullptr;
    k().transpose_rows(kImageLanes, there * w.channels, rows, to + left * pixel, kImageLanes);
  }

  // One line of output pixels, a few at a time; the last ones may be computed twice.
  void compute_line(Index group, Index line, const R* bias, R* sums, R* y) const {
    const Window& w = spec().window;
    const Index step = k().sparse_pixels;
    const Index stride = w.stride_w * layout_.channels * kImageLanes;
    const R* corner = images_ + group * layout_.group() + line * w.stride_h * layout_.line();
    for (Index at = 0; at < w.out_w(); at += step) {
      const Index first = std::max<Index>(std::min(at, w.out_w() - step), 0);
      const Index count = std::min(step, w.out_w() - first);
      for (Index chunk = 0; chunk < w_.chunks(); ++chunk) {
        const auto add = [&](const RowGroups& g, const std::int32_t* offset, const R* value) {
          k().sparse_images(g, offset, value, corner + first * stride, stride, sums);
        };
        const Span rows = w_.compute(k(), chunk, bias, spec().activation, sums, add);
        put(group, line, first, count, rows, sums, y);
      }
    }
  }
  void put(Index group, Index line, Index first, Index count, Span rows, const R* sums, R* y) const {
    const Window& w = spec().window;
    const Index image = pixels(w) * spec().filters;
    const R* lines[SparseBlocks<R>::kChunkRows];
    for (Index p = 0; p < count; ++p) {
      for (Index r = 0; r < rows.count; ++r) lines[r] = sums + r * w_.width() + p * kImageLanes;
      R* to = y + group * kImageLanes * image + (line * w.out_w() + first + p) * spec().filters + rows.first;
      k().transpose_rows(rows.count, images_in(group), lines, to, image);
    }
  }

  ContextPtr<R> ctx_;
  Interleaved layout_;
  SparseBlocks<R> w_;
  R *images_ = nullptr, *sums_ = nullptr;
};

}  // namespace

template <class R>
std::unique_ptr<ConvPlan> sparse_conv(const ConvSpec& spec, ContextPtr<R> ctx) {
  constexpr Index kManyImages = 8;
  const Interleaved layout(spec, ctx->kernels().sparse_pixels);
  const bool plain = spec.window.flat() && !spec.window.dilated();
  const bool fits = plain && layout.group() < std::numeric_limits<std::int32_t>::max();
  if (spec.images >= kManyImages && fits) return std::make_unique<ImageBlocks<R>>(spec, std::move(ctx), layout);
  const Index width = block_width(rows_of(spec), ctx->kernels().sparse_widest);
  return std::make_unique<PixelBlocks<R>>(spec, std::move(ctx), width);
}
template std::unique_ptr<ConvPlan> sparse_conv<float>(const ConvSpec&, ContextPtr<float>);
template std::unique_ptr<ConvPlan> sparse_conv<double>(const ConvSpec&, ContextPtr<double>);

}  // namespace squall::cpu
