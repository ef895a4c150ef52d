#include "masks/shares.hpp"

#include "squall/core/selection.hpp"

namespace squall::masks {

Shares shares_of(Index columns, Index slices, double sparsity) {
  Shares s;
  s.slices = slices;
  s.each = kept_of(columns, sparsity);
  const Index excess = slices * s.each - columns;
  const bool fit_unrounded = static_cast<double>(slices) * (100 - sparsity) <= 100 * (1 + 1e-12);
  if (excess > 0 && excess <= slices && fit_unrounded && s.each > 1) s.missing = excess;
  return s;
}

}  // namespace squall::masks
