// Dense layers as matrix products with bias and activation applied to each tile while it is hot.
#include "cpu/dense.hpp"

#include "cpu/finish.hpp"
#include "cpu/panels.hpp"
#include "squall/core/gradient_taker.hpp"

namespace squall::cpu {

namespace {

template <class R>
class GemmDense final : public DensePlan {
 public:
  GemmDense(const DenseSpec& spec, ContextPtr<R> ctx) : DensePlan(spec), ctx_(std::move(ctx)) {
    if (spec.packed != nullptr)
      for (float v : spec.packed->to_dense()) own_.push_back(static_cast<R>(v));
    const bool keeps = constant() && spec.rows >= kWorthPanels && !ctx_->by_library(spec.rows, spec.out, spec.in);
    if (keeps) kept_.resize(static_cast<std::size_t>(panel_elements(*ctx_, spec.in, spec.out)));
  }
  std::string_view kind() const override { return "gemm"; }
  std::size_t workspace_bytes() const override { return gives() ? panels_at() + panel_bytes() : tiles_at(); }
  void set_workspace(void* memory) override {
    sums_ = static_cast<double*>(memory);
    tiles_ = static_cast<std::byte*>(memory) + tiles_at();
  }

 protected:
  void do_forward(const ConstTensor& x, const WeightRef& given, const ConstTensor& b, const Tensor& y) override {
    const WeightRef w =
        own_.empty() ? given : WeightRef{{own_.data(), dtype_of<R>, {spec().out, spec().in}}, nullptr, 1};
    const R* bias = b ? b.as<R>() : nullptr;
    R* out = y.as<R>();
    const GemmCall<R> call = call_of<R>(inputs(x), weights(w).T(), out, spec().out, false);
    const auto finish = [&](Span rows, Span columns) {
      bias_activate(ctx_->kernels(), spec().activation, rows, columns, bias, out, spec().out);
    };
    if (kept_.empty() || w.version == 0)
      product(*ctx_, call, finish);
    else
      product(*ctx_, call, kept_panels(w), finish);
    if (spec().activation == Activation::Softmax) softmax_rows(*ctx_, spec().rows, spec().out, out);
  }
  void do_backward(const ConstTensor& x, const WeightRef& w, const ConstTensor& y, const Tensor& dy, const Sink& dx,
                   const Sink& dw, const Sink& db) override {
    refuse_packed(spec());
    R* delta = dy.as<R>();
    activate_back(*ctx_, spec().activation, spec().rows, spec().out, y.as<R>(), delta, db, sums_);
    const ConstMatrix deltas(delta, dy.dtype(), spec().rows, spec().out, spec().out);
    if (dx) product(*ctx_, call_of<R>(deltas, weights(w), dx.to.as<R>(), spec().in, dx.mode == Write::Add));
    if (dw.taker != nullptr && dw.mode == Write::Overwrite && gives())
      return give_gradient(deltas, inputs(x), *dw.taker);
    if (dw) product(*ctx_, call_of<R>(deltas.T(), inputs(x), dw.to.as<R>(), spec().in, dw.mode == Write::Add));
  }

 private:
  static constexpr Index kTileRows = 8, kWorthPanels = 5;
  // Of many examples the gradient costs so much that writing it out does not matter.
  static constexpr Index kMostExamples = 1024;
  bool constant() const { return spec().constant || spec().packed != nullptr; }
  bool gives() const {
    return !constant() && spec().rows <= kMostExamples && !ctx_->by_library(spec().out, spec().in, spec().rows);
  }
  Index tile_columns() const { return std::min(spec().in, GradientTaker::kLargest / kTileRows / 48 * 48); }
  static std::size_t tile_bytes() { return static_cast<std::size_t>(GradientTaker::kLargest) * sizeof(R); }
  std::size_t tiles_at() const { return whole_lines(activate_back_bytes(spec().rows, spec().out)); }
  std::size_t panels_at() const {
    return tiles_at() + tile_bytes() * static_cast<std::size_t>(ctx_->parallel().threads());
  }
  std::size_t panel_bytes() const {
    return static_cast<std::size_t>(panel_elements(*ctx_, spec().rows, tile_columns())) * sizeof(R);
  }
  // The gradient of a few rows of weights at a time, given away while it is in the first caches.
  void give_gradient(const ConstMatrix& deltas, const ConstMatrix& x, GradientTaker& taker) {
    for (Index first = 0; first < spec().in; first += tile_columns())
      give_columns(deltas, x.columns(first, std::min(tile_columns(), spec().in - first)), first, taker);
    taker.finish();
  }
  void give_columns(const ConstMatrix& deltas, const ConstMatrix& x, Index first, GradientTaker& taker) {
    const Index in = spec().in, out = spec().out, columns = x.ncols;
    const Index fitting = GradientTaker::kLargest / columns / kTileRows * kTileRows;
    const Index rows = columns < in ? kTileRows : std::max(kTileRows, fitting);
    const GemmCall<R> call = call_of<R>(deltas.T(), x, nullptr, columns, false);
    Panels<R> panels;
    if (spec().rows > 1) panels = pack_panels(*ctx_, x, reinterpret_cast<R*>(tiles_ + panels_at() - tiles_at()));
    const bool worth_it = 2 * spec().rows * columns * out >= kWorthFlops;
    ctx_->parallel().run(ceil_div(out, rows), worth_it, [&](Index tile, int worker) {
      const Span here{tile * rows, std::min(rows, out - tile * rows)};
      GemmCall<R> part = call;
      part.c = reinterpret_cast<R*>(tiles_ + tile_bytes() * static_cast<std::size_t>(worker));
      if (panels.packed != nullptr)
        multiply_panels(*ctx_, part, panels, here, {0, columns}, worker);
      else
        outer_product(part, here);
      if (columns == in) return taker.take(here.first * in, piece(part.c, here.count * in));
      for (Index r = 0; r < here.count; ++r)
        taker.take((here.first + r) * in + first, piece(part.c + r * columns, columns));
    });
  }
  static ConstTensor piece(const R* made, Index count) { return {made, dtype_of<R>, Shape{count}}; }
  // Of one example.
  void outer_product(const GemmCall<R>& call, Span rows) const {
    const auto scale = ctx_->kernels().binary_scalar[at(Binary::Multiply)][at(Write::Overwrite)];
    for (Index r = 0; r < rows.count; ++r) scale(call.n, call.b, call.a[rows.first + r], call.c + r * call.ldc);
  }
  Panels<R> kept_panels(const WeightRef& w) {
    if (w.version != kept_version_) pack_panels(*ctx_, weights(w).T(), kept_.data());
    kept_version_ = w.version;
    return {kept_.data(), spec().in, spec().out};
  }
  ConstMatrix inputs(const ConstTensor& x) const { return {x.data(), x.dtype(), spec().rows, spec().in, spec().in}; }
  ConstMatrix weights(const WeightRef& w) const {
    return {w.values.data(), w.values.dtype(), spec().out, spec().in, spec().in};
  }
  ContextPtr<R> ctx_;
  AlignedVector<R> own_;   // a packed weight written out
  AlignedVector<R> kept_;  // the weight in panels, if it is constant
  std::uint64_t kept_version_ = 0;
  double* sums_ = nullptr;
  std::byte* tiles_ = nullptr;
};

template <class R>
class CpuDense final : public DenseOps {
 public:
  explicit CpuDense(ContextPtr<R> ctx) : ctx_(std::move(ctx)) {}

 protected:
  std::unique_ptr<DensePlan> do_plan(const DenseSpec& spec) override {
    if (spec.pattern != nullptr) return kept_dense<R>(spec, ctx_);
    return spec.packed != nullptr ? packed_dense<R>(spec, ctx_) : gemm_dense<R>(spec, ctx_);
  }

 private:
  ContextPtr<R> ctx_;
};

}  // namespace

template <class R>
std::unique_ptr<DensePlan> gemm_dense(const DenseSpec& spec, ContextPtr<R> ctx) {
  return std::make_unique<GemmDense<R>>(spec, std::move(ctx));
}
template std::unique_ptr<DensePlan> gemm_dense<float>(const DenseSpec&, ContextPtr<float>);
template std::unique_ptr<DensePlan> gemm_dense<double>(const DenseSpec&, ContextPtr<double>);

template <class R>
std::unique_ptr<DenseOps> make_dense(ContextPtr<R> ctx) {
  return std::make_unique<CpuDense<R>>(std::move(ctx));
}
SQUALL_CPU_MAKER(DenseOps, make_dense);

}  // namespace squall::cpu
