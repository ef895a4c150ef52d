// Convolution with a 1x1 kernel: the dense plan with pixels as rows.
#include "cpu/conv.hpp"
#include "cpu/dense.hpp"

namespace squall::cpu {

namespace {

class PointwiseConv final : public ConvPlan {
 public:
  PointwiseConv(const ConvSpec& spec, std::unique_ptr<DensePlan> dense)
      : ConvPlan(spec), dense_(std::move(dense)), kind_(concat("pixels ", dense_->kind())) {}
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

 private:
  WeightRef matrix(const WeightRef& w) const {
    return {w.values.reshaped({dense_->spec().out, dense_->spec().in}), w.packed};
  }
  std::unique_ptr<DensePlan> dense_;
  std::string kind_;
};

}  // namespace

template <class R>
std::unique_ptr<ConvPlan> pointwise_conv(const ConvSpec& spec, ContextPtr<R> ctx) {
  const Window& w = spec.window;
  const DenseSpec dense{
      spec.images * w.height * w.width, w.channels, spec.filters, spec.activation, spec.bias, spec.packed};
  auto plan = spec.packed != nullptr ? packed_dense<R>(dense, ctx) : gemm_dense<R>(dense, ctx);
  return std::make_unique<PointwiseConv>(spec, std::move(plan));
}
template std::unique_ptr<ConvPlan> pointwise_conv<float>(const ConvSpec&, ContextPtr<float>);
template std::unique_ptr<ConvPlan> pointwise_conv<double>(const ConvSpec&, ContextPtr<double>);

}  // namespace squall::cpu
