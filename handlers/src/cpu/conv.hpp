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

// From a packed weight, by its format; forward only.
template <class R>
std::unique_ptr<ConvPlan> packed_conv(const ConvSpec& spec, ContextPtr<R> ctx);

}  // namespace squall::cpu
