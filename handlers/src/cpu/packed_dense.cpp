// Dense layers whose weight is packed: inference only.
#include "cpu/compact_weight.hpp"
#include "cpu/dense.hpp"
#include "cpu/finish.hpp"
#include "cpu/products.hpp"
#include "cpu/sparse_blocks.hpp"
#include "cpu/sparse_slices.hpp"

namespace squall::cpu {

namespace {

// What all of them share: no way back.
class PackedDense : public DensePlan {
 public:
  using DensePlan::DensePlan;

 protected:
  void do_backward(const ConstTensor&, const WeightRef&, const ConstTensor&, const Tensor&, const Sink&, const Sink&,
                   const Sink&) override {
    refuse_packed(spec());
  }
};

// Rows and columns without any weight are left out: a smaller product between gathered inputs and scattered outputs.
template <class R>
class Compacted final : public PackedDense {
 public:
  Compacted(const DenseSpec& spec, ContextPtr<R> ctx) : PackedDense(spec), ctx_(std::move(ctx)), w_(*spec.packed) {}
  std::string_view kind() const override { return "compacted gemm"; }
  std::size_t workspace_bytes() const override {
    return static_cast<std::size_t>(spec().out + spec().rows * (w_.kept_columns() + w_.kept_rows())) * sizeof(R);
  }
  void set_workspace(void* memory) override {
    bias_ = static_cast<R*>(memory);
    inputs_ = bias_ + spec().out;
    outputs_ = inputs_ + spec().rows * w_.kept_columns();
  }

 protected:
  void do_forward(const ConstTensor& x, const WeightRef&, const ConstTensor& b, const Tensor& y) override {
    const Index in = w_.kept_columns();
    const Index out = w_.kept_rows();
    R* to = y.as<R>();
    R* constant = gather_bias(b ? b.as<R>() : nullptr);
    gather(x.as<R>(), constant, to);
    const ConstMatrix examples(inputs_, dtype_of<R>, spec().rows, in, in);
    const ConstMatrix weight(w_.values.data(), dtype_of<R>, out, in, in);
    product(*ctx_, call_of<R>(examples, weight.T(), outputs_, out, false), [&](Span rows, Span columns) {
      bias_activate(ctx_->kernels(), spec().activation, rows, columns, bias_, outputs_, out);
      for (Index r = rows.first; r < rows.first + rows.count; ++r)
        for (Index c = columns.first; c < columns.first + columns.count; ++c)
          to[r * spec().out + w_.rows[static_cast<std::size_t>(c)]] = outputs_[r * out + c];
    });
    if (spec().activation == Activation::Softmax) softmax_rows(*ctx_, spec().rows, spec().out, to);
  }

 private:
  // The biases of the kept rows, then what the dropped ones give.
  R* gather_bias(const R* bias) const {
    R* constant = bias_ + w_.kept_rows();
    if (bias != nullptr) {
      take(w_.rows, bias, bias_);
      take(w_.dropped_rows, bias, constant);
    } else {
      std::fill_n(bias_, spec().out, R(0));
    }
    const auto dropped = static_cast<Index>(w_.dropped_rows.size());
    bias_activate<R>(ctx_->kernels(), spec().activation, {0, 1}, {0, dropped}, nullptr, constant, dropped);
    return constant;
  }
  void gather(const R* x, const R* constant, R* y) const {
    constexpr Index kRows = 16;
    const Index n = spec().rows;
    ctx_->parallel().run(ceil_div(n, kRows), n * (spec().in + spec().out) >= kWorthElements, [&](Index tile, int) {
      for (Index r = tile * kRows; r < std::min(n, (tile + 1) * kRows); ++r) {
        take(w_.columns, x + r * spec().in, inputs_ + r * w_.kept_columns());
        put(w_.dropped_rows, constant, y + r * spec().out);
      }
    });
  }
  ContextPtr<R> ctx_;
  CompactWeight<R> w_;
  R *bias_ = nullptr, *inputs_ = nullptr, *outputs_ = nullptr;
};

// Many examples: blocks of them against the rows of the sparse matrix.
template <class R>
class SparseMany final : public PackedDense {
 public:
  SparseMany(const DenseSpec& spec, ContextPtr<R> ctx, Index width)
      : PackedDense(spec),
        ctx_(std::move(ctx)),
        w_(*spec.packed, {width}, [width](Index column) { return column * width; }) {
    w_.take_values(ctx_->parallel(), spec.packed->value.data(), true);
  }
  std::string_view kind() const override { return "sparse blocks"; }
  std::size_t workspace_bytes() const override {
    return SparseRun<R>(w_, spec().rows, *ctx_).workspace_elements() * sizeof(R);
  }
  void set_workspace(void* memory) override { workspace_ = static_cast<R*>(memory); }

 protected:
  void do_forward(const ConstTensor& x, const WeightRef&, const ConstTensor& b, const Tensor& y) override {
    R* out = y.as<R>();
    SparseRun<R>(w_, spec().rows, *ctx_)(Rows{*this, x.as<R>()}, b ? b.as<R>() : nullptr, spec().activation, out,
                                         workspace_);
    if (spec().activation == Activation::Softmax) softmax_rows(*ctx_, spec().rows, spec().out, out);
  }

 private:
  struct Rows {  // source of SparseRun: examples are rows
    const SparseMany& plan;
    const R* x;
    static constexpr Index kColumns = 256;
    Index parts() const { return ceil_div(plan.spec().in, kColumns); }
    void fill(Index block, Index part, int, R* to) const {
      constexpr Index kWidest = 64;
      const Index n = plan.spec().in;
      const Index width = plan.w_.width();
      const Index first = part * kColumns;
      const R* rows[kWidest];
      for (Index i = 0; i < width; ++i) {
        const Index example = block * width + i;
        rows[i] = example < plan.spec().rows ? x + example * n + first : nullptr;
      }
      plan.ctx_->kernels().transpose_rows(width, std::min(kColumns, n - first), rows, to + first * width, width);
    }
  };
  ContextPtr<R> ctx_;
  SparseBlocks<R> w_;
  R* workspace_ = nullptr;
};

// One or two examples: each alone, inputs gathered.
template <class R>
class SparseFew final : public PackedDense {
 public:
  SparseFew(const DenseSpec& spec, ContextPtr<R> ctx) : PackedDense(spec), ctx_(std::move(ctx)), w_(*spec.packed) {}
  std::string_view kind() const override { return "sparse rows"; }

 protected:
  void do_forward(const ConstTensor& x, const WeightRef&, const ConstTensor& b, const Tensor& y) override {
    const R* in = x.as<R>();
    const R* bias = b ? b.as<R>() : nullptr;
    R* out = y.as<R>();
    // A gathered entry costs about as much as eight that are not.
    const bool worth = 16 * w_.stored() * spec().rows >= kWorthFlops;
    ctx_->parallel().run(spec().rows * w_.groups(), worth, [&](Index tile, int) {
      const Index example = tile / w_.groups();
      const Index group = tile % w_.groups();
      R* to = out + example * spec().out;
      w_.multiply(ctx_->kernels(), group, in + example * spec().in, to);
      bias_activate(ctx_->kernels(), spec().activation, {0, 1}, w_.group_rows(group), bias, to, spec().out);
    });
    if (spec().activation == Activation::Softmax) softmax_rows(*ctx_, spec().rows, spec().out, out);
  }

 private:
  ContextPtr<R> ctx_;
  SparseSlices<R> w_;
};

// Less than a block of examples, but more than one: a weight that fits the second cache is multiplied as fast as a
// fifth of it is found, and with few units turning the examples takes longer than all products; so it does where
// turned examples do not fit the second cache.
bool better_dense(const DenseSpec& s) {
  constexpr Index kBlock = 16, kMany = 192, kSmall = 262144, kNarrow = 32;
  constexpr double kThick = 0.15;
  if (s.rows >= kMany && s.out <= kNarrow && s.rows * s.in >= kSmall * 3 / 4) return true;
  if (s.rows < 2 || s.rows >= kBlock) return false;
  const bool thick = s.packed->density() > kThick && s.in * s.out <= kSmall;
  return thick || (s.rows > 2 && s.out <= kNarrow);
}

}  // namespace

template <class R>
std::unique_ptr<DensePlan> packed_dense(const DenseSpec& spec, ContextPtr<R> ctx) {
  constexpr Index kFew = 2;
  switch (spec.packed->format) {
    case WeightFormat::Dense: return gemm_dense<R>(spec, std::move(ctx));
    case WeightFormat::Compacted: return std::make_unique<Compacted<R>>(spec, std::move(ctx));
    case WeightFormat::Sparse: break;
  }
  if (better_dense(spec)) return gemm_dense<R>(spec, std::move(ctx));
  if (spec.rows <= kFew) return std::make_unique<SparseFew<R>>(spec, std::move(ctx));
  const Index width = block_width(spec.rows, ctx->kernels().sparse_widest);
  return std::make_unique<SparseMany<R>>(spec, std::move(ctx), width);
}
template std::unique_ptr<DensePlan> packed_dense<float>(const DenseSpec&, ContextPtr<float>);
template std::unique_ptr<DensePlan> packed_dense<double>(const DenseSpec&, ContextPtr<double>);

}  // namespace squall::cpu
