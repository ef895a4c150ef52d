// Dense layers as matrix products with bias and activation applied to each tile while it is hot.
#include "cpu/dense.hpp"

#include "cpu/finish.hpp"
#include "cpu/products.hpp"

namespace squall::cpu {

namespace {

template <class R>
class GemmDense final : public DensePlan {
 public:
  GemmDense(const DenseSpec& spec, ContextPtr<R> ctx) : DensePlan(spec), ctx_(std::move(ctx)) {}
  std::string_view kind() const override { return "gemm"; }
  std::size_t workspace_bytes() const override { return activate_back_bytes(spec().rows, spec().out); }
  void set_workspace(void* memory) override { sums_ = static_cast<double*>(memory); }

 protected:
  void do_forward(const ConstTensor& x, const WeightRef& w, const ConstTensor& b, const Tensor& y) override {
    const R* bias = b ? b.as<R>() : nullptr;
    R* out = y.as<R>();
    const GemmCall<R> call = call_of<R>(inputs(x), weights(w).T(), out, spec().out, false);
    product(*ctx_, call, [&](Span rows, Span columns) {
      bias_activate(ctx_->kernels(), spec().activation, rows, columns, bias, out, spec().out);
    });
    if (spec().activation == Activation::Softmax) softmax_rows(*ctx_, spec().rows, spec().out, out);
  }
  void do_backward(const ConstTensor& x, const WeightRef& w, const ConstTensor& y, const Tensor& dy, const Sink& dx,
                   const Sink& dw, const Sink& db) override {
    R* delta = dy.as<R>();
    activate_back(*ctx_, spec().activation, spec().rows, spec().out, y.as<R>(), delta, db, sums_);
    const ConstMatrix deltas(delta, dy.dtype(), spec().rows, spec().out, spec().out);
    if (dx) product(*ctx_, call_of<R>(deltas, weights(w), dx.to.as<R>(), spec().in, dx.mode == Write::Add));
    if (dw) product(*ctx_, call_of<R>(deltas.T(), inputs(x), dw.to.as<R>(), spec().in, dw.mode == Write::Add));
  }

 private:
  ConstMatrix inputs(const ConstTensor& x) const { return {x.data(), x.dtype(), spec().rows, spec().in, spec().in}; }
  ConstMatrix weights(const WeightRef& w) const {
    return {w.values.data(), w.values.dtype(), spec().out, spec().in, spec().in};
  }
  ContextPtr<R> ctx_;
  double* sums_ = nullptr;
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
