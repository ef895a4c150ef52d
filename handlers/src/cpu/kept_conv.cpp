// Convolutions whose weight has a pattern of entries: products and gradients of these entries only, on interleaved
// images. What is sent back is a convolution of the deltas with the turned filters.
#include <limits>

#include "cpu/conv.hpp"
#include "cpu/finish.hpp"
#include "cpu/image_blocks.hpp"

namespace squall::cpu {

namespace {

// The window over the deltas whose convolution with turned filters gives the images' deltas.
Window turned(const Window& w, Index filters) {
  Window t;
  t.height = w.out_h();
  t.width = w.out_w();
  t.channels = filters;
  t.kernel_h = w.kernel_h;
  t.kernel_w = w.kernel_w;
  t.top = w.kernel_h - 1 - w.top;
  t.bottom = w.kernel_h - 1 - w.bottom;
  t.left = w.kernel_w - 1 - w.left;
  t.right = w.kernel_w - 1 - w.right;
  return t;
}

// Filters and channels exchanged, taps in opposite order.
SparsePattern turned(const SparsePattern& p, const Window& w, std::vector<std::int32_t>& from) {
  std::vector<std::int32_t> of_columns;
  const SparsePattern columns = p.transposed(of_columns);  // row tap channels + channel, columns are filters
  SparsePattern out;
  out.rows = w.channels;
  out.columns = w.taps() * p.rows;
  out.row_begin.push_back(0);
  from.clear();
  for (Index c = 0; c < w.channels; ++c) {
    for (Index tap = 0; tap < w.taps(); ++tap) {
      const auto row = static_cast<std::size_t>((w.taps() - 1 - tap) * w.channels + c);
      for (auto e = static_cast<std::size_t>(columns.row_begin[row]);
           e < static_cast<std::size_t>(columns.row_begin[row + 1]); ++e) {
        out.column.push_back(static_cast<std::int32_t>(tap * p.rows) + columns.column[e]);
        from.push_back(of_columns[e]);
      }
    }
    out.row_begin.push_back(out.kept());
  }
  return out;
}

// Pixels that both kernels can compute together.
template <class R>
Index at_once(const Kernels<R>& k) {
  return std::max(k.sparse_pixels, k.sample_pixels);
}
// Deltas are read for gradients over whole steps of pixels.
template <class R>
Index delta_width(const Window& w, const Kernels<R>& k) {
  return w.kernel_w - 1 - w.left + round_up(w.out_w(), at_once(k));
}

template <class R>
class KeptConv final : public ConvPlan {
 public:
  KeptConv(const ConvSpec& spec, ContextPtr<R> ctx)
      : ConvPlan(spec),
        ctx_(std::move(ctx)),
        forward_(spec.window, spec.images, spec.filters, *ctx_, at_once(k())),
        back_(turned(spec.window, spec.filters), spec.images, spec.window.channels, *ctx_, at_once(k()),
              delta_width(spec.window, k())),
        w_(*spec.pattern, k().sparse_pixels * kImageLanes, places()) {}
  std::string_view kind() const override { return "kept image blocks"; }
  std::size_t workspace_bytes() const override {
    return activate_back_bytes(rows(), spec().filters) +
           static_cast<std::size_t>(forward_.layout().elements() + back_.layout().elements() + threads() * w_.sums()) *
               sizeof(R);
  }
  void set_workspace(void* memory) override {
    bias_sums_ = static_cast<double*>(memory);
    x_ = reinterpret_cast<R*>(static_cast<std::byte*>(memory) + activate_back_bytes(rows(), spec().filters));
    dy_ = x_ + forward_.layout().elements();
    sums_ = dy_ + back_.layout().elements();
  }

 protected:
  void do_forward(const ConstTensor& x, const WeightRef& w, const ConstTensor& b, const Tensor& y) override {
    w_.take_values(ctx_->parallel(), w.values.as<R>());
    forward_.interleave(x.as<R>(), x_, worth());
    forward_.run(w_, x_, b ? b.as<R>() : nullptr, spec().activation, sums_, y.as<R>());
    if (spec().activation == Activation::Softmax) softmax_rows(*ctx_, rows(), spec().filters, y.as<R>());
  }
  void do_backward(const ConstTensor& x, const WeightRef& w, const ConstTensor& y, const Tensor& dy, const Sink& dx,
                   const Sink& dw, const Sink& db) override {
    R* delta = dy.as<R>();
    activate_back(*ctx_, spec().activation, rows(), spec().filters, y.as<R>(), delta, db, bias_sums_);
    if (!dx && !dw) return;
    back_.interleave(delta, dy_, worth());
    if (dw) sample(x.as<R>(), dw);
    if (dx) send_back(w.values.as<R>(), dx);
  }
  void do_input_gradient(const WeightRef& w, const ConstTensor& dy, const Sink& dx) override {
    back_.interleave(dy.as<R>(), dy_, worth());
    send_back(w.values.as<R>(), dx);
  }
  void do_weight_gradient(const ConstTensor& x, const ConstTensor& dy, const Sink& dw) override {
    back_.interleave(dy.as<R>(), dy_, worth());
    sample(x.as<R>(), dw);
  }

 private:
  const Kernels<R>& k() const { return ctx_->kernels(); }
  Index threads() const { return ctx_->parallel().threads(); }
  Index rows() const { return spec().images * pixels(spec().window); }
  bool worth() const { return 2 * spec().pattern->kept() * rows() >= kWorthFlops; }
  std::function<Index(Index)> places() const {
    return [this](Index column) { return forward_.layout().place(spec().window, column); };
  }

  // What the gradients of entries need: tiles for the pixels of their kernel, and room for parts of the sums.
  struct Sampling {
    SparseBlocks<R> entries;
    Index parts;  // of the lines of all images, each with sums of its own
    std::vector<R> sums, totals;
    std::vector<Index> begin;  // of each piece in totals
  };
  void make_sampling() {
    constexpr Index kManyPieces = 8, kParts = 4;
    sampling_ = std::make_unique<Sampling>(
        Sampling{SparseBlocks<R>(*spec().pattern, k().sample_pixels * kImageLanes, places()), 1, {}, {}, {0}});
    Sampling& s = *sampling_;
    if (s.entries.pieces() < kManyPieces) s.parts = std::min(kParts, forward_.layout().groups * spec().window.out_h());
    for (Index p = 0; p < s.entries.pieces(); ++p)
      s.begin.push_back(s.begin.back() + round_up(s.entries.piece(p).entries, kSampleSpare));
    s.sums.resize(static_cast<std::size_t>(threads() * s.entries.largest_piece() * k().sample_lanes));
    s.totals.resize(static_cast<std::size_t>(s.parts * s.begin.back()));
  }
  void sample(const R* x, const Sink& dw) {
    if (!sampling_) make_sampling();
    Sampling& s = *sampling_;
    forward_.interleave(x, x_, worth());
    ctx_->parallel().run(s.entries.pieces() * s.parts, worth(),
                         [&](Index task, int worker) { sample_part(task / s.parts, task % s.parts, worker); });
    R* to = dw.to.as<R>();
    for (Index p = 0; p < s.entries.pieces(); ++p) {
      const auto piece = s.entries.piece(p);
      R* total = s.totals.data() + s.begin[static_cast<std::size_t>(p)];
      for (Index part = 1; part < s.parts; ++part)
        k().unary[at(Unary::Copy)][at(Write::Add)](piece.entries, total + part * s.begin.back(), total);
      take_entries(piece.source, piece.entries, total, to, dw.mode);
    }
  }
  void sample_part(Index tile, Index part, int worker) {
    Sampling& s = *sampling_;
    const Window& w = spec().window;
    const auto piece = s.entries.piece(tile);
    R* sums = s.sums.data() + worker * s.entries.largest_piece() * k().sample_lanes;
    std::fill_n(sums, piece.entries * k().sample_lanes, R(0));
    const Interleaved& images = forward_.layout();
    const Interleaved& deltas = back_.layout();
    const Index x_step = images.channels * kImageLanes;
    const Index dy_step = deltas.channels * kImageLanes;
    const Window& t = back_.window();
    const Span lines = part_of(images.groups * w.out_h(), s.parts, part);
    for (Index i = lines.first; i < lines.first + lines.count; ++i) {
      const Index group = i / w.out_h();
      const Index line = i % w.out_h();
      const R* x = x_ + group * images.group() + line * images.line();
      const R* dy = dy_ + group * deltas.group() + (line + t.top) * deltas.line() + t.left * dy_step +
                    piece.first_row * kImageLanes;
      for (Index p = 0; p < w.out_w(); p += k().sample_pixels)
        k().sample_images(piece.groups, piece.offset, x + p * x_step, x_step, dy + p * dy_step, kImageLanes, dy_step,
                          sums);
    }
    k().sample_total(piece.entries, sums,
                     s.totals.data() + part * s.begin.back() + s.begin[static_cast<std::size_t>(tile)]);
  }
  void send_back(const R* values, const Sink& dx) {
    if (!turned_) {
      std::vector<std::int32_t> from;
      const SparsePattern pattern = turned(*spec().pattern, spec().window, from);
      turned_ = std::make_unique<SparseBlocks<R>>(pattern, k().sparse_pixels * kImageLanes, [this](Index column) {
        return back_.layout().place(back_.window(), column);
      });
      turned_->renumber(from);
    }
    turned_->take_values(ctx_->parallel(), values);
    const bool add = dx.mode == Write::Add;
    if (add) added_.resize(static_cast<std::size_t>(dx.to.elements()));
    back_.run(*turned_, dy_, nullptr, Activation::Linear, sums_, add ? added_.data() : dx.to.as<R>());
    if (add) add_all(*ctx_, added_, dx.to.as<R>());
  }

  ContextPtr<R> ctx_;
  ImageProduct<R> forward_, back_;
  SparseBlocks<R> w_;
  std::unique_ptr<SparseBlocks<R>> turned_;  // these are made by the first backward pass
  std::unique_ptr<Sampling> sampling_;
  std::vector<R> added_;  // for deltas that are added to others
  double* bias_sums_ = nullptr;
  R *x_ = nullptr, *dy_ = nullptr, *sums_ = nullptr;
};

}  // namespace

template <class R>
std::unique_ptr<ConvPlan> kept_conv(const ConvSpec& spec, ContextPtr<R> ctx) {
  constexpr Index kManyImages = 8;
  const Window& w = spec.window;
  const bool plain = w.flat() && !w.dilated() && w.stride_h == 1 && w.stride_w == 1 && spec.groups == 1;
  const bool turns = std::max(w.top, w.bottom) < w.kernel_h && std::max(w.left, w.right) < w.kernel_w;
  if (!plain || !turns || spec.images < kManyImages) return nullptr;
  const Kernels<R>& k = ctx->kernels();
  const Interleaved images(w, spec.images, at_once(k));
  const Interleaved deltas(turned(w, spec.filters), spec.images, at_once(k), delta_width(w, k));
  if (std::max(images.group(), deltas.group()) >= std::numeric_limits<std::int32_t>::max()) return nullptr;
  return std::make_unique<KeptConv<R>>(spec, std::move(ctx));
}
template std::unique_ptr<ConvPlan> kept_conv<float>(const ConvSpec&, ContextPtr<float>);
template std::unique_ptr<ConvPlan> kept_conv<double>(const ConvSpec&, ContextPtr<double>);

}  // namespace squall::cpu
