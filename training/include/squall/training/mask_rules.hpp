// The selection rules of the original RSN2 package, literally, on plain arrays: one score vector per task slice of a
// tensor. They are degenerate when many scores are zero (a threshold of zero keeps everything); select_top() is not.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "squall/core/describe.hpp"
#include "squall/core/json.hpp"

namespace squall {

enum class MaskRule : std::uint8_t {
  GradientsExclusive,  // A: a score counts as 0 where the sum of earlier masks is exactly 1
  MagnitudeExclusive,  // B: the same for any sum but for its factor 1 - sum, and against the threshold of all scores
  PruneExclusive,      // C: a score counts as 0 where an earlier mask is 1
  Independent          // N: nothing is excluded
};

using MaskBytes = std::vector<std::uint8_t>;

// Masks of all slices, in their order. scores: one vector per slice, of equal lengths.
std::vector<MaskBytes> literal_masks(MaskRule rule, std::span<const std::vector<double>> scores, double percent);

// D: the mask of one slice by magnitude; a score counts as 0 where a slice before it has a raw weight other than 0.
MaskBytes literal_task_mask(std::span<const std::vector<double>> magnitudes, std::size_t slice, double percent,
                            bool respect_previous);

}  // namespace squall
