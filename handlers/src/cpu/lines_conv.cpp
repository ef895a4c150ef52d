// Convolution of stride 1 by matrix products whose first matrix is the padded image itself: in a line, the windows of
// neighbouring pixels are rows one pixel apart, so that nothing is copied but the padding. A product for each line of
// the kernel, added up. What is sent back is a convolution of the deltas with turned filters.
#include "cpu/conv.hpp"
#include "cpu/finish.hpp"
#include "cpu/windows.hpp"

namespace squall::cpu {

namespace {

// One direction: images (height, width, channels) padded, a weight (out, kernel_h, kernel_w, channels).
struct Lines {
  Index height = 0, width = 0, channels = 0, top = 0, left = 0, kernel_h = 0, kernel_w = 0, out_h = 0, out_w = 0,
        out = 0;

  Index padded_width() const { return out_w + kernel_w - 1; }
  Index run() const { return kernel_w * channels; }  // of one line of the kernel
  // Output lines that are computed together: what they need and give stays in the second cache.
  Index strip() const {
    constexpr Index kStripElements = 65536;
    const Index line = padded_width() * channels + out_w * out;
    return std::clamp<Index>(kStripElements / line, 1, out_h);
  }
  Index strips() const { return ceil_div(out_h, strip()); }
  Index strip_elements() const { return (strip() + kernel_h - 1) * padded_width() * channels; }
  Index lines_of(Index part) const { return std::min(strip(), out_h - part * strip()); }
};

Lines forward_lines(const ConvSpec& s) {
  const Window& w = s.window;
  return {w.height, w.width, w.channels, w.top, w.left, w.kernel_h, w.kernel_w, w.out_h(), w.out_w(), s.filters};
}
Lines turned_lines(const ConvSpec& s) {
  const Window& w = s.window;
  return {w.out_h(), w.out_w(), s.filters, w.kernel_h - 1 - w.top, w.kernel_w - 1 - w.left, w.kernel_h, w.kernel_w,
          w.height,  w.width,   w.channels};
}

// The input lines of a strip of one image, with zeros around them.
template <class R>
void pad(const Lines& l, const R* image, Index part, R* to) {
  const Index line = l.padded_width() * l.channels;
  const Index there = std::min(l.width, l.padded_width() - l.left);
  for (Index i = 0; i < l.lines_of(part) + l.kernel_h - 1; ++i, to += line) {
    const Index row = part * l.strip() + i - l.top;
    if (row < 0 || row >= l.height) {
      std::fill_n(to, line, R(0));
      continue;
    }
    std::fill_n(to, l.left * l.channels, R(0));
    std::copy_n(image + row * l.width * l.channels, there * l.channels, to + l.left * l.channels);
    std::fill(to + (l.left + there) * l.channels, to + line, R(0));
  }
}

template <class R>
class LinesConv final : public ConvPlan {
 public:
  LinesConv(const ConvSpec& spec, ContextPtr<R> ctx)
      : ConvPlan(spec), ctx_(std::move(ctx)), forward_(forward_lines(spec)), back_(turned_lines(spec)) {
    constexpr Index kGroupElements = Index{1} << 21, kLeastGroups = 4, kMostGroups = 16;
    groups_ = std::clamp<Index>(kGroupElements / weights(), kLeastGroups, kMostGroups);
    groups_ = std::min(groups_, spec.images * forward_.strips());
    if (spec.constant) kept_.resize(static_cast<std::size_t>(packed(forward_)));
  }
  std::string_view kind() const override { return "lines gemm"; }
  std::size_t workspace_bytes() const override {
    const Index elements = packed(forward_) + packed(back_) + weights() + groups_ * weights() + threads() * room();
    return activate_back_bytes(rows(), spec().filters) + static_cast<std::size_t>(elements) * sizeof(R);
  }
  void set_workspace(void* memory) override {
    sums_ = static_cast<double*>(memory);
    packed_ = reinterpret_cast<R*>(static_cast<std::byte*>(memory) + activate_back_bytes(rows(), spec().filters));
    packed_back_ = packed_ + packed(forward_);
    rooms_ = packed_back_ + packed(back_);
    turned_ = rooms_ + threads() * room();
    partial_ = turned_ + weights();
  }

 protected:
  void do_forward(const ConstTensor& x, const WeightRef& w, const ConstTensor& b, const Tensor& y) override {
    run(forward_, packed_weight(w), x.as<R>(), false, y.as<R>(), [&](R* to, Index count) {
      bias_activate(k(), spec().activation, {0, count}, {0, spec().filters}, b ? b.as<R>() : nullptr, to,
                    spec().filters);
    });
    if (spec().activation == Activation::Softmax) softmax_rows(*ctx_, rows(), spec().filters, y.as<R>());
  }
  void do_backward(const ConstTensor& x, const WeightRef& w, const ConstTensor& y, const Tensor& dy, const Sink& dx,
                   const Sink& dw, const Sink& db) override {
    R* delta = dy.as<R>();
    activate_back(*ctx_, spec().activation, rows(), spec().filters, y.as<R>(), delta, db, sums_);
    if (dx) send_back(delta, w.values.as<R>(), dx);
    if (dw) weight_delta(x.as<R>(), delta, dw);
  }
  void do_input_gradient(const WeightRef& w, const ConstTensor& dy, const Sink& dx) override {
    send_back(dy.as<R>(), w.values.as<R>(), dx);
  }
  void do_weight_gradient(const ConstTensor& x, const ConstTensor& dy, const Sink& dw) override {
    weight_delta(x.as<R>(), dy.as<R>(), dw);
  }

 private:
  const Kernels<R>& k() const { return ctx_->kernels(); }
  Index threads() const { return ctx_->parallel().threads(); }
  Index rows() const { return spec().images * pixels(spec().window); }
  Index weights() const { return spec().filters * spec().weights_of_filter(); }
  bool worth() const { return 2 * rows() * weights() >= kWorthFlops; }
  Index columns(const Lines& l) const { return round_up(l.out, k().sequence.pack_columns); }
  Index packed(const Lines& l) const { return l.kernel_h * l.run() * columns(l); }
  // Of a worker: a strip of images, and one of deltas with the width of padded images.
  Index room() const {
    const Index deltas = forward_.strip() * forward_.padded_width() * spec().filters;
    return round_up(std::max(forward_.strip_elements(), back_.strip_elements()), Index{kImageLanes}) +
           round_up(deltas, Index{kImageLanes});
  }

  const R* packed_weight(const WeightRef& w) {
    const bool keeps = !kept_.empty() && w.version != 0;
    R* to = keeps ? kept_.data() : packed_;
    if (!keeps || w.version != kept_version_) pack(forward_, w.values.as<R>(), to);
    kept_version_ = keeps ? w.version : 0;
    return to;
  }
  // A matrix (run, out) for each line of the kernel.
  void pack(const Lines& l, const R* weight, R* to) const {
    ctx_->parallel().run(l.kernel_h, worth(), [&](Index line, int) {
      k().sequence.pack(l.run(), l.out, weight + line * l.run(), 1, l.kernel_h * l.run(),
                        to + line * l.run() * columns(l));
    });
  }
  // y (=, +=) the convolution, finish(rows of y, how many) for each strip.
  template <class Finish>
  void run(const Lines& l, const R* weight, const R* x, bool add, R* y, const Finish& finish) const {
    ctx_->parallel().run(spec().images * l.strips(), worth(), [&](Index task, int worker) {
      const Index n = task / l.strips();
      const Index part = task % l.strips();
      R* strip = rooms_ + worker * room();
      pad(l, x + n * l.height * l.width * l.channels, part, strip);
      R* to = y + (n * l.out_h + part * l.strip()) * l.out_w * l.out;
      for (Index ky = 0; ky < l.kernel_h; ++ky)
        for (Index line = 0; line < l.lines_of(part); ++line)
          k().sequence.multiply({l.out_w, l.out, l.run(), strip + (line + ky) * l.padded_width() * l.channels,
                                 l.channels, weight + ky * l.run() * columns(l), l.out, 0, to + line * l.out_w * l.out,
                                 l.out, add || ky > 0});
      finish(to, l.lines_of(part) * l.out_w);
    });
  }
  void send_back(const R* delta, const R* weight, const Sink& dx) const {
    turn(weight);
    pack(back_, turned_, packed_back_);
    run(back_, packed_back_, delta, dx.mode == Write::Add, dx.to.as<R>(), [](R*, Index) {});
  }
  // (channels, taps in opposite order, filters)
  void turn(const R* weight) const {
    const Window& w = spec().window;
    const Index taps = w.kernel_h * w.kernel_w, filters = spec().filters;
    ctx_->parallel().run(taps, worth(), [&](Index tap, int) {
      constexpr Index kRows = 64;
      const R* in[kRows];
      for (Index f = 0; f < filters; f += kRows) {
        const Index count = std::min(kRows, filters - f);
        for (Index i = 0; i < count; ++i) in[i] = weight + ((f + i) * taps + tap) * w.channels;
        k().transpose_rows(count, w.channels, in, turned_ + (taps - 1 - tap) * filters + f, taps * filters);
      }
    });
  }
  void weight_delta(const R* x, const R* delta, const Sink& dw) const {
    ctx_->parallel().run(groups_, worth(), [&](Index group, int worker) {
      R* sum = partial_ + group * weights();
      std::fill_n(sum, weights(), R(0));
      const Span mine = part_of(spec().images * forward_.strips(), groups_, group);
      for (Index i = mine.first; i < mine.first + mine.count; ++i)
        add_strip(x, delta, i / forward_.strips(), i % forward_.strips(), worker, sum);
    });
    R* to = dw.to.as<R>();
    const bool add = dw.mode == Write::Add;
    const auto& copy = k().unary[at(Unary::Copy)];
    ctx_->parallel().pieces(weights(), groups_, [&](Index i, Index n) {
      for (Index g = 0; g < groups_; ++g) copy[add || g > 0 ? 1 : 0](n, partial_ + g * weights() + i, to + i);
    });
  }
  // The products of all pixels of a strip at once: between lines, deltas are zeros.
  void add_strip(const R* x, const R* delta, Index n, Index part, int worker, R* sum) const {
    constexpr Index kRows = 8;
    const Lines& l = forward_;
    R* images = rooms_ + worker * room();
    R* deltas = images + room() - round_up(l.strip() * l.padded_width() * l.out, Index{kImageLanes});
    pad(l, x + n * l.height * l.width * l.channels, part, images);
    const R* from = delta + (n * l.out_h + part * l.strip()) * l.out_w * l.out;
    for (Index line = 0; line < l.lines_of(part); ++line) {
      R* to = deltas + line * l.padded_width() * l.out;
      std::copy_n(from + line * l.out_w * l.out, l.out_w * l.out, to);
      std::fill(to + l.out_w * l.out, to + l.padded_width() * l.out, R(0));
    }
    const Index many = (l.lines_of(part) - 1) * l.padded_width() + l.out_w;
    for (Index ky = 0; ky < l.kernel_h; ++ky)
      for (Index f = 0; f < l.out; f += kRows)
        ctx_->multiply({std::min(kRows, l.out - f), l.run(), many, deltas + f, 1, l.out,
                        images + ky * l.padded_width() * l.channels, l.channels, 1,
                        sum + f * l.kernel_h * l.run() + ky * l.run(), l.kernel_h * l.run(), true},
                       worker);
  }

  ContextPtr<R> ctx_;
  Lines forward_, back_;
  Index groups_ = 1;
  AlignedVector<R> kept_;  // the packed weight, if it is constant
  std::uint64_t kept_version_ = 0;
  double* sums_ = nullptr;
  R *packed_ = nullptr, *packed_back_ = nullptr, *rooms_ = nullptr, *turned_ = nullptr, *partial_ = nullptr;
};

}  // namespace

bool has_lines(const ConvSpec& spec) {
  // Short lines are too little for a product. The gradients of large weights are better summed over more pixels than
  // those of a strip.
  constexpr Index kShortest = 32, kMostWeights = 262144;
  const Window& w = spec.window;
  return spec.filters * spec.weights_of_filter() <= kMostWeights && w.flat() && !w.dilated() && w.stride_h == 1 &&
         w.stride_w == 1 && spec.groups == 1 && w.taps() > 1 && w.kernel_w * w.channels >= kShortest &&
         std::max(w.top, w.bottom) < w.kernel_h && std::max(w.left, w.right) < w.kernel_w;
}
template <class R>
std::unique_ptr<ConvPlan> lines_conv(const ConvSpec& spec, ContextPtr<R> ctx) {
  return std::make_unique<LinesConv<R>>(spec, std::move(ctx));
}
template std::unique_ptr<ConvPlan> lines_conv<float>(const ConvSpec&, ContextPtr<float>);
template std::unique_ptr<ConvPlan> lines_conv<double>(const ConvSpec&, ContextPtr<double>);

}  // namespace squall::cpu
