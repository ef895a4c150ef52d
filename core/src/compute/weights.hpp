// Checks of weights and biases, shared by dense and convolution plans.
#pragma once

#include "compute/checks.hpp"
#include "squall/core/packed_weight.hpp"

namespace squall::checks {

// The packed weight of a spec, if there is one.
void packed(std::string_view op, const PackedWeight* w, Index rows, Index columns);
// The pattern of a spec, if there is one; it and a packed weight exclude each other.
void pattern(std::string_view op, const SparsePattern* p, const PackedWeight* packed, Index rows, Index columns);
// The shape of a weight and of its gradient: dense, or the vector of a pattern's entries.
Shape weight_shape(const SparsePattern* pattern, const Shape& dense);
// What a plan is given as weight: the packed one it was made for, or a dense one.
void weight(std::string_view op, const PackedWeight* planned, const WeightRef& w, const Shape& wanted, DType dtype);
void bias(std::string_view op, std::string_view what, bool planned, const ConstTensor& b, Index size, DType dtype);

}  // namespace squall::checks
