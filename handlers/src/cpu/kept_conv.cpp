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

// Deltas are read for gradients over whole blocks of pixels.
ImageExtent of_deltas(const Window& w, const PixelBlock& block) {
  return {w.kernel_h - 1 - w.top + round_up(w.out_h(), block.lines),
          w.kernel_w - 1 - w.left + round_up(w.out_w(), block.pixels)};
}

template <class R>
class KeptConv final : public ConvPlan {
 public:
  KeptConv(const ConvSpec& spec, ContextPtr<R> ctx)
      : ConvPlan(spec),
        ctx_(std::move(ctx)),
        forward_(spec.window, ImageTiles::whole(spec.window, spec.images), spec.filters, *ctx_),
        back_(turned(spec.window, spec.filters), ImageTiles::whole(turned(spec.window, spec.filters), spec.images),
              spec.window.channels, *ctx_, of_deltas(spec.window, PixelBlock(k()))),
        w_(image_weight(*spec.pattern, forward_)) {}
  std::string_view kind() const override { return "kept image blocks"; }
  std::size_t workspace_bytes() const override {
    return activate_back_bytes(rows(), spec().filters) +
           at(whole_images() + whole_deltas() + threads() * room()) * sizeof(R);
  }
  void set_workspace(void* memory) override {
    bias_sums_ = static_cast<double*>(memory);
    x_ = reinterpret_cast<R*>(static_cast<std::byte*>(memory) + activate_back_bytes(rows(), spec().filters));
    dy_ = x_ + whole_images();
    rooms_ = dy_ + whole_deltas();
  }

 protected:
  void do_forward(const ConstTensor& x, const WeightRef& w, const ConstTensor& b, const Tensor& y) override {
    w_.take_values(ctx_->parallel(), w.values.as<R>());
    forward_.run(w_, x.as<R>(), b ? b.as<R>() : nullptr, spec().activation, rooms_, y.as<R>());
    if (spec().activation == Activation::Softmax) softmax_rows(*ctx_, rows(), spec().filters, y.as<R>());
  }
  void do_backward(const ConstTensor& x, const WeightRef& w, const ConstTensor& y, const Tensor& dy, const Sink& dx,
                   const Sink& dw, const Sink& db) override {
    R* delta = dy.as<R>();
    activate_back(*ctx_, spec().activation, rows(), spec().filters, y.as<R>(), delta, db, bias_sums_);
    if (dw) sample(x.as<R>(), delta, dw);
    if (dx) send_back(w.values.as<R>(), delta, dx);
  }
  void do_input_gradient(const WeightRef& w, const ConstTensor& dy, const Sink& dx) override {
    send_back(w.values.as<R>(), dy.as<R>(), dx);
  }
  void do_weight_gradient(const ConstTensor& x, const ConstTensor& dy, const Sink& dw) override {
    sample(x.as<R>(), dy.as<R>(), dw);
  }

 private:
  const Kernels<R>& k() const { return ctx_->kernels(); }
  Index threads() const { return ctx_->parallel().threads(); }
  Index room() const { return std::max(forward_.room(), back_.room()); }
  Index rows() const { return spec().images * pixels(spec().window); }
  Index whole_images() const { return in_one_set() ? 0 : forward_.layout().elements(); }
  Index whole_deltas() const { return in_one_set() ? 0 : back_.layout().elements(); }
  bool worth() const { return 2 * spec().pattern->kept() * rows() >= kWorthFlops; }
  // What the gradients of entries need. Sums of tiles stay in the second cache: those of all tiles if they fit, and
  // lines are interleaved as they are needed; else some tiles at a time, and all images are interleaved before. The
  // lines are cut into parts, each with totals of its own, so that there is work for many threads.
  struct Sampling {
    SparseBlocks<R> entries;
    std::vector<Index> set;    // first tile of each set, and one behind the last
    std::vector<Index> begin;  // of each tile in the totals
    Index parts = 1, largest_set = 0;
    AlignedVector<R> sums, totals, lines;
  };
  bool in_one_set() const {
    constexpr Index kMostBytes = 2621440;
    return spec().pattern->kept() * sums_bytes() <= kMostBytes;
  }
  Index sums_bytes() const { return k().sample_lanes * static_cast<Index>(sizeof(R)); }
  void make_sampling() {
    constexpr Index kTasks = 8, kTileEntries = 220, kSetBytes = 1048576;
    sampling_ = std::make_unique<Sampling>(
        Sampling{image_weight(*spec().pattern, forward_, kTileEntries), {}, {0}, 1, 0, {}, {}, {}});
    Sampling& s = *sampling_;
    Index entries = 0;
    for (Index p = 0; p < s.entries.pieces(); ++p) {
      const Index more = round_up(s.entries.piece(p).entries, kSampleSpare);
      const bool full = !in_one_set() && (entries + more) * sums_bytes() > kSetBytes;
      if (p == 0 || full) {
        s.set.push_back(p);
        entries = 0;
      }
      entries += more;
      s.largest_set = std::max(s.largest_set, entries);
      s.begin.push_back(s.begin.back() + more);
    }
    s.set.push_back(s.entries.pieces());
    s.parts = std::clamp<Index>(kTasks / std::max<Index>(sets(), 1), 1, stripes());
    s.sums.resize(at(threads() * s.largest_set * k().sample_lanes));
    s.totals.resize(at(s.parts * s.begin.back()));
    if (in_one_set()) s.lines.resize(at(threads() * (x_lines() + dy_lines())));
  }
  static std::size_t at(Index i) { return static_cast<std::size_t>(i); }
  Index sets() const { return static_cast<Index>(sampling_->set.size()) - 1; }
  // Lines of deltas that are taken together, and those of the images they need.
  Index stripe() const {
    constexpr Index kStripeBytes = 524288;
    const Index line = (forward_.layout().line() + back_.layout().line()) * static_cast<Index>(sizeof(R));
    const Index lines = forward_.block().lines;
    return std::clamp((kStripeBytes / line - spec().window.kernel_h) / lines, Index{1}, Index{8}) * lines;
  }
  Index stripes_of_group() const { return ceil_div(spec().window.out_h(), stripe()); }
  Index stripes() const { return forward_.layout().groups * stripes_of_group(); }
  Index x_lines() const { return (stripe() - 1 + spec().window.kernel_h) * forward_.layout().line(); }
  Index dy_lines() const { return stripe() * back_.layout().line() + back_.layout().channel(); }

  void sample(const R* x, const R* dy, const Sink& dw) {
    if (!sampling_) make_sampling();
    Sampling& s = *sampling_;
    if (!in_one_set()) {
      forward_.interleave(x, x_, worth());
      back_.interleave(dy, dy_, worth());
    }
    ctx_->parallel().run(sets() * s.parts, worth(),
                         [&](Index task, int worker) { sample_part(x, dy, task / s.parts, task % s.parts, worker); });
    R* to = dw.to.as<R>();
    for (Index p = 0; p < s.entries.pieces(); ++p) {
      const auto piece = s.entries.piece(p);
      R* total = s.totals.data() + s.begin[at(p)];
      for (Index part = 1; part < s.parts; ++part)
        k().unary[cpu::at(Unary::Copy)][cpu::at(Write::Add)](piece.entries, total + part * s.begin.back(), total);
      take_entries(piece.source, piece.entries, total, to, dw.mode);
    }
  }
  void sample_part(const R* x, const R* dy, Index set, Index part, int worker) {
    Sampling& s = *sampling_;
    const Index first = s.set[at(set)];
    const Index end = s.set[at(set + 1)];
    const Index before = s.begin[at(first)];
    const Index entries = s.begin[at(end)] - before;
    R* sums = s.sums.data() + worker * s.largest_set * k().sample_lanes;
    std::fill_n(sums, entries * k().sample_lanes, R(0));
    const Span mine = part_of(stripes(), s.parts, part);
    for (Index i = mine.first; i < mine.first + mine.count; ++i) {
      const Lines lines = in_one_set() ? taken_lines(x, dy, i, i > mine.first, worker) : lines_of(i);
      for (Index p = first; p < end; ++p)
        sample_stripe(lines, s.entries.piece(p), sums + (s.begin[at(p)] - before) * k().sample_lanes);
    }
    k().sample_total(entries, sums, s.totals.data() + part * s.begin.back() + before);
  }
  // Where a stripe begins in images and deltas, and how many output lines it has.
  struct Lines {
    const R *x, *dy;
    Index count;
  };
  Index first_line(Index stripe_number) const { return stripe_number % stripes_of_group() * stripe(); }
  Lines lines_of(Index number) const {
    const Index group = number / stripes_of_group();
    const Index line = first_line(number);
    return {x_ + group * forward_.layout().group() + line * forward_.layout().line(),
            dy_ + group * back_.layout().group() + (line + back_.window().top) * back_.layout().line(),
            std::min(stripe(), spec().window.out_h() - line)};
  }
  // The same brought into the worker's lines; those that two stripes share are there if it `follows`.
  Lines taken_lines(const R* x, const R* dy, Index number, bool follows, int worker) {
    const Index group = number / stripes_of_group();
    const Index line = first_line(number);
    const Index shared = follows && line > 0 ? spec().window.kernel_h - 1 : 0;
    R* images = sampling_->lines.data() + worker * (x_lines() + dy_lines());
    R* deltas = images + x_lines();
    const Index x_line = forward_.layout().line();
    std::copy_n(images + stripe() * x_line, shared * x_line, images);
    for (Index l = shared; l < stripe() - 1 + spec().window.kernel_h; ++l)
      forward_.interleave_line(x, group, line + l, images + l * x_line);
    for (Index l = 0; l < stripe(); ++l)
      back_.interleave_line(dy, group, line + back_.window().top + l, deltas + l * back_.layout().line());
    return {images, deltas, std::min(stripe(), spec().window.out_h() - line)};
  }
  void sample_stripe(const Lines& lines, const typename SparseBlocks<R>::Piece& piece, R* sums) const {
    const Interleaved& images = forward_.layout();
    const Interleaved& deltas = back_.layout();
    const PixelBlock& block = forward_.block();
    const R* dy = lines.dy + piece.first_row * deltas.channel() + back_.window().left * kImageLanes;
    for (Index l = 0; l < lines.count; l += block.lines)
      for (Index p = 0; p < spec().window.out_w(); p += block.pixels)
        k().sample_images(piece.groups, piece.offset, lines.x + l * images.line() + p * kImageLanes, images.line(),
                          dy + l * deltas.line() + p * kImageLanes, deltas.channel(), deltas.line(), sums);
  }

  void send_back(const R* values, const R* dy, const Sink& dx) {
    if (!turned_) {
      std::vector<std::int32_t> from;
      const SparsePattern pattern = turned(*spec().pattern, spec().window, from);
      turned_ = std::make_unique<SparseBlocks<R>>(image_weight(pattern, back_));
      turned_->renumber(from);
    }
    turned_->take_values(ctx_->parallel(), values);
    const bool add = dx.mode == Write::Add;
    if (add) added_.resize(static_cast<std::size_t>(dx.to.elements()));
    back_.run(*turned_, dy, nullptr, Activation::Linear, rooms_, add ? added_.data() : dx.to.as<R>());
    if (add) add_all(*ctx_, added_, dx.to.as<R>());
  }

  ContextPtr<R> ctx_;
  ImageProduct<R> forward_, back_;
  SparseBlocks<R> w_;
  std::unique_ptr<SparseBlocks<R>> turned_;  // these are made by the first backward pass
  std::unique_ptr<Sampling> sampling_;
  std::vector<R> added_;  // for deltas that are added to others
  double* bias_sums_ = nullptr;
  R *x_ = nullptr, *dy_ = nullptr, *rooms_ = nullptr;
};

}  // namespace

template <class R>
std::unique_ptr<ConvPlan> kept_conv(const ConvSpec& spec, ContextPtr<R> ctx) {
  constexpr Index kManyImages = 8;
  const Window& w = spec.window;
  const bool plain = w.flat() && !w.dilated() && w.stride_h == 1 && w.stride_w == 1 && spec.groups == 1;
  const bool turns = std::max(w.top, w.bottom) < w.kernel_h && std::max(w.left, w.right) < w.kernel_w;
  if (!plain || !turns || spec.images < kManyImages) return nullptr;
  const PixelBlock block(ctx->kernels());
  const Window back = turned(w, spec.filters);
  const Interleaved images(w, ImageTiles::whole(w, spec.images), block);
  const Interleaved deltas(back, ImageTiles::whole(back, spec.images), block, of_deltas(w, block));
  if (std::max(images.group(), deltas.group()) >= std::numeric_limits<std::int32_t>::max()) return nullptr;
  return std::make_unique<KeptConv<R>>(spec, std::move(ctx));
}
template std::unique_ptr<ConvPlan> kept_conv<float>(const ConvSpec&, ContextPtr<float>);
template std::unique_ptr<ConvPlan> kept_conv<double>(const ConvSpec&, ContextPtr<double>);

}  // namespace squall::cpu
