// Convolution with a 1x1 kernel: the dense plan with pixels as rows.
#include "cpu/conv.hpp"
#include "cpu/dense.hpp"
#include "cpu/products.hpp"

namespace squall::cpu {

namespace {

template <class R>
class PointwiseConv final : public ConvPlan {
 public:
  PointwiseConv(const ConvSpec& spec, std::unique_ptr<DensePlan> dense, ContextPtr<R> ctx)
      : ConvPlan(spec), ctx_(std::move(ctx)), dense_(std::move(dense)), kind_(concat("pixels ", dense_->kind())) {}
  std::string_view kind() const override { return kind_; }
  std::size_t workspace_bytes() const override { return dense_->workspace_bytes(); }
  std::size_t reserve_bytes() const override { return dense_->reserve_bytes(); }
  void set_workspace(void* memory) override { dense_->set_workspace(memory); }
  void set_reserve(void* memory) override { dense_->set_reserve(memory); }

 protected:
  void do_forward(const ConstTensor& x, const WeightRef& w, const ConstTensor& b, const Tensor& y) override {
    const DenseSpec& s = dense_->spec();
    dense_->forward(x.reshaped({s.rows, s.in}), matrix(w), b, y.reshaped({s.rows, s.out}));
  }
  void do_backward(const ConstTensor& x, const WeightRef& w, const ConstTensor& y, const Tensor& dy, const Sink& dx,
                   const Sink& dw, const Sink& db) override {
    const DenseSpec& s = dense_->spec();
    const Shape out{s.rows, s.out};
    dense_->backward(x.reshaped({s.rows, s.in}), matrix(w), y.reshaped(out), dy.reshaped(out),
                     dx.reshaped({s.rows, s.in}), dw.reshaped({s.out, s.in}), db);
  }
  void do_input_gradient(const WeightRef& w, const ConstTensor& dy, const Sink& dx) override {
    const DenseSpec& s = dense_->spec();
    if (s.packed != nullptr)
      raise<ShapeError>("convolution backward: a packed weight is for inference, only its reference plan goes back");
    product(*ctx_, call_of<R>(matrix(dy, s.out), matrix(w.values, s.in, s.out), dx.to.as<R>(), s.in, adds(dx)));
  }
  void do_weight_gradient(const ConstTensor& x, const ConstTensor& dy, const Sink& dw) override {
    const DenseSpec& s = dense_->spec();
    product(*ctx_, call_of<R>(matrix(dy, s.out).T(), matrix(x, s.in), dw.to.as<R>(), s.in, adds(dw)));
  }

 private:
  static bool adds(const Sink& s) { return s.mode == Write::Add; }
  ConstMatrix matrix(const ConstTensor& x, Index columns) const { return matrix(x, columns, dense_->spec().rows); }
  static ConstMatrix matrix(const ConstTensor& x, Index columns, Index rows) {
    return {x.data(), x.dtype(), rows, columns, columns};
  }
  WeightRef matrix(const WeightRef& w) const {
    return {w.values.reshaped({dense_->spec().out, dense_->spec().in}), w.packed};
  }
  ContextPtr<R> ctx_;
  std::unique_ptr<DensePlan> dense_;
  std::string kind_;
};

}  // namespace

template <class R>
std::unique_ptr<ConvPlan> pointwise_conv(const ConvSpec& spec, ContextPtr<R> ctx) {
  const Window& w = spec.window;
  const DenseSpec dense{spec.images * w.pixels(), w.channels, spec.filters, spec.activation, spec.bias, spec.packed};
  auto plan = spec.packed != nullptr ? packed_dense<R>(dense, ctx) : gemm_dense<R>(dense, ctx);
  return std::make_unique<PointwiseConv<R>>(spec, std::move(plan), std::move(ctx));
}
template std::unique_ptr<ConvPlan> pointwise_conv<float>(const ConvSpec&, ContextPtr<float>);
template std::unique_ptr<ConvPlan> pointwise_conv<double>(const ConvSpec&, ContextPtr<double>);

}  // namespace squall::cpu
