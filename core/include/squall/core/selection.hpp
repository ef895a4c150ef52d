// Choosing which weights of a tensor are kept: the best among the eligible, exactly as many as asked for, ties to the
// lower index. Score, eligible set, scope and count are separate; nothing outside the eligible set is ever kept.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "squall/core/enum_name.hpp"
#include "squall/core/shape.hpp"

namespace squall {

// Over what a share is counted: each output unit (or filter), the whole tensor, the tensors of a layer together, or all
// tensors together.
enum class Quota : std::uint8_t { Unit, Tensor, Layer, Global };
std::span<const EnumName<Quota>> enum_names(Quota);  // "unit", "tensor", "layer", "global"

// How many of n are kept when `sparsity` percent are pruned: n - ceil((n - 1) sparsity / 100), at least 1.
Index kept_of(Index n, double sparsity);

struct Selection {
  std::vector<std::uint8_t> keep;  // 1 = kept
  Index wanted = 0, kept = 0;      // kept < wanted: the eligible were too few
};

// The best `wanted` of each row; eligible: empty (all) or one byte each.
Selection select_best(std::span<const double> scores, std::span<const std::uint8_t> eligible, Index rows, Index columns,
                      Index wanted);
// The same by share. scores (rows, columns); eligible: empty (all) or one byte each. With Quota::Unit every row gets
// its own share.
Selection select_top(std::span<const double> scores, std::span<const std::uint8_t> eligible, Index rows, Index columns,
                     double sparsity, Quota quota);

// NumPy's percentile (linear interpolation, its rounding): the threshold of the original's keep rule.
double percentile(std::span<const double> values, double percent);
// The original's rule: keep what is >= its percentile, over all elements; degenerate when many are zero.
std::vector<std::uint8_t> keep_by_percentile(std::span<const double> scores, double percent);

}  // namespace squall
