// The kinds of convolution plans.
#pragma once

#include "cpu/facets.hpp"

namespace squall::cpu {

// One tap, stride 1, no padding, no groups: a dense layer over pixels.
bool is_pointwise(const ConvSpec& spec);
template <class R>
std::unique_ptr<ConvPlan> pointwise_conv(const ConvSpec& spec, ContextPtr<R> ctx);

// Windows copied tile by tile into rows, then a matrix product.
template <class R>
std::unique_ptr<ConvPlan> gemm_conv(const ConvSpec& spec, ContextPtr<R> ctx);

// Stride 1, one group, taps of a line next to each other: windows are read where they are.
bool has_lines(const ConvSpec& spec);
template <class R>
std::unique_ptr<ConvPlan> lines_conv(const ConvSpec& spec, ContextPtr<R> ctx);

// As many groups as channels.
template <class R>
std::unique_ptr<ConvPlan> depthwise_conv(const ConvSpec& spec, ContextPtr<R> ctx);

// The best of the three above for more than one tap.
template <class R>
std::unique_ptr<ConvPlan> dense_conv(const ConvSpec& spec, ContextPtr<R> ctx);

// What convolutions from packed weights share: no way back.
class PackedConv : public ConvPlan {
 public:
  using ConvPlan::ConvPlan;

 protected:
  void do_backward(const ConstTensor&, const WeightRef&, const ConstTensor&, const Tensor&, const Sink&, const Sink&,
                   const Sink&) override {
    refuse();
  }
  void do_input_gradient(const WeightRef&, const ConstTensor&, const Sink&) override { refuse(); }
  void do_weight_gradient(const ConstTensor&, const ConstTensor&, const Sink&) override { refuse(); }

 private:
  [[noreturn]] static void refuse() {
    raise<ShapeError>("convolution backward: a packed weight is for inference, only its reference plan goes back");
  }
};

// From a packed weight, by its format; forward only.
template <class R>
std::unique_ptr<ConvPlan> packed_conv(const ConvSpec& spec, ContextPtr<R> ctx);
template <class R>
std::unique_ptr<ConvPlan> sparse_conv(const ConvSpec& spec, ContextPtr<R> ctx);

// For the entries of a pattern alone; null where images are few or the window is not plain.
template <class R>
std::unique_ptr<ConvPlan> kept_conv(const ConvSpec& spec, ContextPtr<R> ctx);

}  // namespace squall::cpu
