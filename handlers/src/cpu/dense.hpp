// Plans of dense layers that other plans are built from.
#pragma once

#include "cpu/facets.hpp"

namespace squall::cpu {

template <class R>
std::unique_ptr<DensePlan> gemm_dense(const DenseSpec& spec, ContextPtr<R> ctx);
// From a packed weight, by its format; forward only.
template <class R>
std::unique_ptr<DensePlan> packed_dense(const DenseSpec& spec, ContextPtr<R> ctx);

// For the entries of a pattern alone; null where examples are too few.
template <class R>
std::unique_ptr<DensePlan> kept_dense(const DenseSpec& spec, ContextPtr<R> ctx);

}  // namespace squall::cpu
