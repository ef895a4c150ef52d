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
    if (is_pointwise(spec.window)) return pointwise_conv<R>(spec, ctx_);
    return spec.packed != nullptr ? packed_conv<R>(spec, ctx_) : gemm_conv<R>(spec, ctx_);
  }

 private:
  ContextPtr<R> ctx_;
};

}  // namespace

bool is_pointwise(const Window& w) {
  return w.taps() == 1 && w.stride_h == 1 && w.stride_w == 1 && w.top == 0 && w.bottom == 0 && w.left == 0 &&
         w.right == 0;
}

template <class R>
std::unique_ptr<ConvOps> make_conv(ContextPtr<R> ctx) {
  return std::make_unique<CpuConv<R>>(std::move(ctx));
}
SQUALL_CPU_MAKER(ConvOps, make_conv);

}  // namespace squall::cpu
