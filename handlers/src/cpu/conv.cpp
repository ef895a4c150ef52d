// Convolution plans of the processor.
#include "cpu/conv.hpp"

namespace squall::cpu {

namespace {

template <class R>
class CpuConv final : public ConvOps {
 public:
  explicit CpuConv(ContextPtr<R> ctx) : ctx_(std::move(ctx)) {}

 protected:
  std::unique_ptr<ConvPlan> do_plan(const ConvSpec& spec) override {
    if (spec.pattern != nullptr) return kept_conv<R>(spec, ctx_);
    if (is_pointwise(spec)) return pointwise_conv<R>(spec, ctx_);
    if (spec.packed != nullptr) return packed_conv<R>(spec, ctx_);
    return dense_conv<R>(spec, ctx_);
  }

 private:
  ContextPtr<R> ctx_;
};

}  // namespace

bool is_pointwise(const ConvSpec& spec) {
  const Window& w = spec.window;
  return spec.groups == 1 && w.taps() == 1 && w.outputs() == w.pixels() && w.stride_d == 1 && w.stride_h == 1 &&
         w.stride_w == 1 && w.front == 0 && w.top == 0 && w.left == 0;
}

template <class R>
std::unique_ptr<ConvPlan> dense_conv(const ConvSpec& spec, ContextPtr<R> ctx) {
  if (has_lines(spec)) return lines_conv<R>(spec, std::move(ctx));
  const bool depthwise = spec.groups > 1 && spec.groups == spec.window.channels;
  return depthwise ? depthwise_conv<R>(spec, std::move(ctx)) : gemm_conv<R>(spec, std::move(ctx));
}
template std::unique_ptr<ConvPlan> dense_conv<float>(const ConvSpec&, ContextPtr<float>);
template std::unique_ptr<ConvPlan> dense_conv<double>(const ConvSpec&, ContextPtr<double>);

template <class R>
std::unique_ptr<ConvOps> make_conv(ContextPtr<R> ctx) {
  return std::make_unique<CpuConv<R>>(std::move(ctx));
}
SQUALL_CPU_MAKER(ConvOps, make_conv);

}  // namespace squall::cpu
