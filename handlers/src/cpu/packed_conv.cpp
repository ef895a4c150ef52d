// Convolutions whose weight is packed: inference only.
#include "cpu/aligned.hpp"
#include "cpu/compact_weight.hpp"
#include "cpu/conv.hpp"
#include "cpu/finish.hpp"
#include "cpu/windows.hpp"

namespace squall::cpu {

namespace {

Index inner_of(const ConvSpec& s) { return s.window.taps() * s.window.channels; }
Index rows_of(const ConvSpec& s) { return s.images * pixels(s.window); }

template <class R>
class Densified final : public PackedConv {
 public:
  Densified(const ConvSpec& spec, ContextPtr<R> ctx) : PackedConv(spec) {
    for (float v : spec.packed->to_dense()) values_.push_back(static_cast<R>(v));
    ConvSpec plain = spec;
    plain.packed = nullptr;
    plain.constant = true;
    conv_ = dense_conv<R>(plain, std::move(ctx));
  }
  std::string_view kind() const override { return conv_->kind(); }
  std::size_t workspace_bytes() const override { return conv_->workspace_bytes(); }
  void set_workspace(void* memory) override { conv_->set_workspace(memory); }

 protected:
  void do_forward(const ConstTensor& x, const WeightRef&, const ConstTensor& b, const Tensor& y) override {
    const Shape shape = spec().window.filters(spec().filters, spec().group_channels());
    conv_->forward(x, {ConstTensor(values_.data(), dtype_of<R>, shape), nullptr, 1}, b, y);
  }

 private:
  AlignedVector<R> values_;
  std::unique_ptr<ConvPlan> conv_;
};

// Windows keep only the columns that feed something; filters without weights are their bias.
template <class R>
class Compacted final : public PackedConv {
 public:
  Compacted(const ConvSpec& spec, ContextPtr<R> ctx) : PackedConv(spec), ctx_(std::move(ctx)), w_(*spec.packed) {}
  std::string_view kind() const override { return "compacted windows gemm"; }
  std::size_t workspace_bytes() const override {
    return static_cast<std::size_t>(spec().filters + ctx_->parallel().threads() * room()) * sizeof(R);
  }
  void set_workspace(void* memory) override { bias_ = static_cast<R*>(memory); }

 protected:
  void do_forward(const ConstTensor& x, const WeightRef&, const ConstTensor& b, const Tensor& y) override {
    const Index rows = rows_of(spec());
    const Index kept = w_.kept_rows();
    R* constant = bias_ + kept;
    std::fill_n(bias_, spec().filters, R(0));
    if (b) {
      take(w_.rows, b.as<R>(), bias_);
      take(w_.dropped_rows, b.as<R>(), constant);
    }
    const Index dropped = spec().filters - kept;
    bias_activate<R>(k(), spec().activation, {0, 1}, {0, dropped}, nullptr, constant, dropped);
    ctx_->parallel().run(ceil_div(rows, kTileRows), 2 * rows * kept * w_.kept_columns() >= kWorthFlops,
                         [&](Index tile, int worker) {
                           const Index first = tile * kTileRows;
                           run_tile(x.as<R>(), {first, std::min(kTileRows, rows - first)}, worker, y.as<R>());
                         });
  }

 private:
  static constexpr Index kTileRows = 192;
  const Kernels<R>& k() const { return ctx_->kernels(); }
  Index room() const { return inner_of(spec()) + kTileRows * (w_.kept_columns() + w_.kept_rows()); }
  void run_tile(const R* x, Span part, int worker, R* y) const {
    const Index n = w_.kept_columns();
    const Index kept = w_.kept_rows();
    R* window = bias_ + spec().filters + worker * room();
    R* inputs = window + inner_of(spec());
    R* outputs = inputs + kTileRows * n;
    for (Index r = 0; r < part.count; ++r) {
      copy_windows(x, spec().window, R(0), part.first + r, 1, window);
      take(w_.columns, window, inputs + r * n);
    }
    ctx_->multiply({part.count, kept, n, inputs, n, 1, w_.values.data(), 1, n, outputs, kept, false}, worker);
    bias_activate(k(), spec().activation, {0, part.count}, {0, kept}, bias_, outputs, kept);
    for (Index r = 0; r < part.count; ++r) {
      R* to = y + (part.first + r) * spec().filters;
      put(w_.rows, outputs + r * kept, to);
      put(w_.dropped_rows, bias_ + kept, to);
      if (spec().activation == Activation::Softmax) k().softmax(spec().filters, to, to);
    }
  }
  ContextPtr<R> ctx_;
  CompactWeight<R> w_;
  R* bias_ = nullptr;  // biases of kept filters, constants of dropped ones, then rooms of the workers
};

}  // namespace

template <class R>
std::unique_ptr<ConvPlan> packed_conv(const ConvSpec& spec, ContextPtr<R> ctx) {
  if (spec.groups > 1) return std::make_unique<Densified<R>>(spec, std::move(ctx));
  switch (spec.packed->format) {
    case WeightFormat::Dense: return std::make_unique<Densified<R>>(spec, std::move(ctx));
    case WeightFormat::Compacted: return std::make_unique<Compacted<R>>(spec, std::move(ctx));
    case WeightFormat::Sparse: break;
  }
  return sparse_conv<R>(spec, std::move(ctx));
}
template std::unique_ptr<ConvPlan> packed_conv<float>(const ConvSpec&, ContextPtr<float>);
template std::unique_ptr<ConvPlan> packed_conv<double>(const ConvSpec&, ContextPtr<double>);

}  // namespace squall::cpu
