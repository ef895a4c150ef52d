// The report with slices set apart that wait for their task.
#pragma once

#include "masks/targets.hpp"
#include "squall/training/mask_report.hpp"

namespace squall::masks {

// Waiting slices count as kept, but as owners of nothing: they are in no overlap.
MaskReport report(const Network& network, std::span<const Task> tasks,
                  std::span<const std::pair<ParameterKey, int>> waiting);

}  // namespace squall::masks
