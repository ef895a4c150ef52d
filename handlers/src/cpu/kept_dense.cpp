// Dense layers whose weight has a pattern of entries: products and gradients of these entries only, on blocks of
// examples. Entries' gradients are summed block after block, so that they do not depend on the number of threads.
#include <limits>

#include "cpu/dense.hpp"
#include "cpu/finish.hpp"
#include "cpu/sparse_blocks.hpp"

namespace squall::cpu {

namespace {

template <class R>
class KeptDense final : public DensePlan {
 public:
  KeptDense(const DenseSpec& spec, ContextPtr<R> ctx, Index width)
      : DensePlan(spec),
        ctx_(std::move(ctx)),
        width_(width),
        blocks_(ceil_div(spec.rows, width)),
        w_(*spec.pattern, {width}, [width](Index column) { return column * width; }) {}
  std::string_view kind() const override { return "kept blocks"; }
  std::size_t workspace_bytes() const override {
    return activate_back_bytes(spec().rows, spec().out) +
           static_cast<std::size_t>(inputs() + deltas() + threads() * room()) * sizeof(R);
  }
  void set_workspace(void* memory) override {
    bias_sums_ = static_cast<double*>(memory);
    x_ = reinterpret_cast<R*>(static_cast<std::byte*>(memory) + activate_back_bytes(spec().rows, spec().out));
    dy_ = x_ + inputs();
    rooms_ = dy_ + deltas();
  }

 protected:
  void do_forward(const ConstTensor& x, const WeightRef& w, const ConstTensor& b, const Tensor& y) override {
    w_.take_values(ctx_->parallel(), w.values.as<R>());
    into_blocks(x.as<R>(), spec().in, x_);
    SparseRun<R>(w_, spec().rows, *ctx_)
        .on_blocks(x_, spec().in * width_, b ? b.as<R>() : nullptr, spec().activation, y.as<R>(), rooms_, room());
    if (spec().activation == Activation::Softmax) softmax_rows(*ctx_, spec().rows, spec().out, y.as<R>());
  }
  void do_backward(const ConstTensor& x, const WeightRef& w, const ConstTensor& y, const Tensor& dy, const Sink& dx,
                   const Sink& dw, const Sink& db) override {
    R* delta = dy.as<R>();
    activate_back(*ctx_, spec().activation, spec().rows, spec().out, y.as<R>(), delta, db, bias_sums_);
    if (!dx && !dw) return;
    into_blocks(delta, spec().out, dy_);
    if (dw) {
      into_blocks(x.as<R>(), spec().in, x_);
      sample(dw);
    }
    if (dx) send_back(w.values.as<R>(), dx);
  }

 private:
  static constexpr Index kWidest = 64;
  Index threads() const { return ctx_->parallel().threads(); }
  Index inputs() const { return blocks_ * spec().in * width_; }
  Index deltas() const { return (blocks_ * spec().out + 1) * width_; }  // a row behind the last is read, not used
  // Of a worker: for sums of either product, or of the gradients of a tile.
  Index room() const {
    const Index sums = chunk_sums(std::max(spec().in, spec().out), width_);
    return round_up(std::max(sums, w_.largest_piece() + Index{kSampleSpare}), Index{kImageLanes});
  }
  std::size_t size() const { return static_cast<std::size_t>(width_ == 64 ? 3 : width_ == 32 ? 2 : width_ == 16); }

  // Rows of examples as blocks: (blocks, features, examples of a block).
  void into_blocks(const R* x, Index n, R* to) const {
    constexpr Index kColumns = 256;
    const Index parts = ceil_div(n, kColumns);
    ctx_->parallel().run(blocks_ * parts, spec().rows * n >= kWorthElements, [&](Index tile, int) {
      const Index block = tile / parts;
      const Index first = tile % parts * kColumns;
      const R* rows[kWidest];
      for (Index i = 0; i < width_; ++i) {
        const Index example = block * width_ + i;
        rows[i] = example < spec().rows ? x + example * n + first : nullptr;
      }
      ctx_->kernels().transpose_rows(width_, std::min(kColumns, n - first), rows, to + (block * n + first) * width_,
                                     width_);
    });
  }
  void sample(const Sink& dw) const {
    R* to = dw.to.as<R>();
    ctx_->parallel().run(w_.pieces(), 2 * w_.stored() * spec().rows >= kWorthFlops, [&](Index tile, int worker) {
      const auto piece = w_.piece(tile);
      R* sums = rooms_ + worker * room();
      for (Index b = 0; b < blocks_; ++b)
        ctx_->kernels().sample_block[size()][b > 0 ? 1 : 0](piece.groups, piece.offset, x_ + b * spec().in * width_,
                                                            dy_ + (b * spec().out + piece.first_row) * width_, width_,
                                                            sums);
      take_entries(piece.source, piece.entries, sums, to, dw.mode);
    });
  }
  void send_back(const R* values, const Sink& dx) {
    const Index width = width_;
    if (!back_) {
      std::vector<std::int32_t> from;
      const SparsePattern turned = spec().pattern->transposed(from);
      back_ =
          std::make_unique<SparseBlocks<R>>(turned, Tiling{width}, [width](Index column) { return column * width; });
      back_->renumber(from);
    }
    back_->take_values(ctx_->parallel(), values);
    const bool add = dx.mode == Write::Add;
    if (add) added_.resize(static_cast<std::size_t>(spec().rows * spec().in));
    R* to = add ? added_.data() : dx.to.as<R>();
    SparseRun<R>(*back_, spec().rows, *ctx_)
        .on_blocks(dy_, spec().out * width_, nullptr, Activation::Linear, to, rooms_, room());
    if (add) add_all(*ctx_, added_, dx.to.as<R>());
  }

  ContextPtr<R> ctx_;
  Index width_, blocks_;
  SparseBlocks<R> w_;
  std::unique_ptr<SparseBlocks<R>> back_;  // made by the first backward pass
  std::vector<R> added_;                   // for deltas that are added to others
  double* bias_sums_ = nullptr;
  R *x_ = nullptr, *dy_ = nullptr, *rooms_ = nullptr;
};

}  // namespace

template <class R>
std::unique_ptr<DensePlan> kept_dense(const DenseSpec& spec, ContextPtr<R> ctx) {
  constexpr Index kFewest = 4;
  const Index width = block_width(spec.rows, ctx->kernels().sparse_widest);
  const bool fits = std::max(spec.in, spec.out) * width < std::numeric_limits<std::int32_t>::max();
  if (spec.rows < kFewest || !fits) return nullptr;
  return std::make_unique<KeptDense<R>>(spec, std::move(ctx), width);
}
template std::unique_ptr<DensePlan> kept_dense<float>(const DenseSpec&, ContextPtr<float>);
template std::unique_ptr<DensePlan> kept_dense<double>(const DenseSpec&, ContextPtr<double>);

}  // namespace squall::cpu
