// What the fully connected layers share: x flattened to (rows, in), W (out, in), y (rows, out).
#pragma once

#include "squall/core/contexts.hpp"
#include "squall/core/ops/dense.hpp"

namespace squall {

inline DenseSpec dense_spec(Index rows, Index in, Index out, Activation activation, bool bias,
                            const PackedWeight* packed) {
  DenseSpec spec;
  spec.rows = rows;
  spec.in = in;
  spec.out = out;
  spec.activation = activation;
  spec.bias = bias;
  spec.packed = packed;
  return spec;
}

// (T, B, features...) as (rows, in).
template <class T>
auto rows_of(const T& x, const DenseSpec& spec, bool output) {
  return x.reshaped(Shape{spec.rows, output ? spec.out : spec.in});
}
inline void run_forward(DensePlan& plan, const ConstTensor& x, const WeightRef& w, const ConstTensor& bias,
                        const Tensor& y) {
  plan.forward(rows_of(x, plan.spec(), false), w, bias, rows_of(y, plan.spec(), true));
}
inline void run_backward(DensePlan& plan, const ConstTensor& x, const WeightRef& w, const ConstTensor& y,
                         const Tensor& dy, const Sink& dx, const Sink& dw, const Sink& dbias) {
  plan.backward(rows_of(x, plan.spec(), false), w, rows_of(y, plan.spec(), true), rows_of(dy, plan.spec(), true),
                rows_of(dx, plan.spec(), false), dw, dbias);
}

}  // namespace squall
