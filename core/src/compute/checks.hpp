// Checks that operations share. Each names the operation, the operand and what would be right.
#pragma once

#include <string_view>

#include "squall/core/handler.hpp"

namespace squall::checks {

// Not null unless it has no elements.
void present(std::string_view op, std::string_view what, const ConstTensor& x);
void type(std::string_view op, std::string_view what, const ConstTensor& x, DType wanted);
// A real operand of the handler's dtype.
void real(const Handler& h, std::string_view op, std::string_view what, const ConstTensor& x);
void real(const Handler& h, std::string_view op, std::string_view what, const ConstMatrix& m);
// The same, and not a transposed view.
void plain(const Handler& h, std::string_view op, std::string_view what, const ConstMatrix& m);
void same_size(std::string_view op, std::string_view a_name, const ConstTensor& a, std::string_view b_name,
               const ConstTensor& b);
void size(std::string_view op, std::string_view what, const ConstTensor& x, Index wanted);

// Whether consecutive axes of x multiply to the wanted extents: (2, 3, 4) fits {6, 4} and {2, 12}, not {3, 8}.
bool fits(const ConstTensor& x, const Shape& wanted);
// x fits the wanted extents and has the wanted type; for operands of plans.
void operand(std::string_view op, std::string_view what, const ConstTensor& x, const Shape& wanted, DType dtype);
// The same where the operand may be absent.
void optional(std::string_view op, std::string_view what, const ConstTensor& x, const Shape& wanted, DType dtype);
void extent(std::string_view op, std::string_view what, Index value);  // not negative

}  // namespace squall::checks
