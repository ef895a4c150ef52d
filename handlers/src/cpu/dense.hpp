// Plans of dense layers that other plans are built from.
#pragma once

#include "cpu/facets.hpp"

namespace squall::cpu {

// A packed weight is written out; forward only then.
template <class R>
std::unique_ptr<DensePlan> gemm_dense(const DenseSpec& spec, ContextPtr<R> ctx);
inline void refuse_packed(const DenseSpec& spec) {
  if (spec.packed != nullptr)
    raise<ShapeError>("dense backward: a packed weight is for inference, only its reference plan goes back");
}
// From a packed weight, by its format; forward only.
template <class R>
std::unique_ptr<DensePlan> packed_dense(const DenseSpec& spec, ContextPtr<R> ctx);

// For the entries of a pattern alone; null where examples are too few.
template <class R>
std::unique_ptr<DensePlan> kept_dense(const DenseSpec& spec, ContextPtr<R> ctx);

}  // namespace squall::cpu
