// How many weights each slice of a tensor gets.
#pragma once

#include "squall/core/shape.hpp"

namespace squall::masks {

// Every share rounds up, so shares that fit exactly (5 tasks at 80 %) can be a few weights too many together: in each
// row (output unit) as many slices as necessary then get one weight less, another one in each row.
struct Shares {
  Index slices = 1;
  Index each = 0;
  Index missing = 0;  // slices that get one less, per row
  Index of(Index slice, Index row) const { return each - (is_short(slice, row) ? 1 : 0); }
  bool is_short(Index slice, Index row) const {
    if (missing == 0) return false;
    const Index turn = (slices - 1 - slice) - row % slices;
    return (turn < 0 ? turn + slices : turn) < missing;
  }
};

// Of `slices` slices of rows with so many columns. Where the shares do not fit even before rounding, each is whole.
Shares shares_of(Index columns, Index slices, double sparsity);

}  // namespace squall::masks
