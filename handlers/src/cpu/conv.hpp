// The kinds of convolution plans.
#pragma once

#include "cpu/facets.hpp"

namespace squall::cpu {

// One tap, stride 1, no padding: a dense layer over pixels.
bool is_pointwise(const Window& w);
template <class R>
std::unique_ptr<ConvPlan> pointwise_conv(const ConvSpec& spec, ContextPtr<R> ctx);

// Windows copied tile by tile into rows, then a matrix product.
template <class R>
std::unique_ptr<ConvPlan> gemm_conv(const ConvSpec& spec, ContextPtr<R> ctx);

// What convolutions from packed weights share: no way back.
class PackedConv : public ConvPlan {
 public:
  using ConvPlan::ConvPlan;

 protected:
  void do_backward(const ConstTensor&, const WeightRef&, const ConstTensor&, const Tensor&, const Sink&, const Sink&,
                   const Sink&) override {
    raise<ShapeError>("convolution backward: a packed weight is for inference, it has no gradient");
  }
};

// From a packed weight, by its format; forward only.
template <class R>
std::unique_ptr<ConvPlan> packed_conv(const ConvSpec& spec, ContextPtr<R> ctx);
template <class R>
std::unique_ptr<ConvPlan> sparse_conv(const ConvSpec& spec, ContextPtr<R> ctx);

}  // namespace squall::cpu
