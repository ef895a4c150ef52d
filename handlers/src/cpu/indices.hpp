// Row indices that come from data are checked before anything is computed, so that no thread ever has to throw.
#pragma once

#include "squall/core/error.hpp"
#include "squall/core/tensor.hpp"

namespace squall::cpu {

// Throws DataError naming the first value outside 0 .. limit - 1 and its row.
inline const std::int32_t* checked_indices(std::string_view op, std::string_view what, const ConstTensor& index,
                                           Index limit) {
  const auto* values = index.as<std::int32_t>();
  std::int32_t outside = 0;
  const Index n = index.elements();
  for (Index i = 0; i < n; ++i) outside |= values[i] < 0 || values[i] >= limit ? 1 : 0;
  for (Index i = 0; i < n && outside != 0; ++i)
    if (values[i] < 0 || values[i] >= limit)
      raise<DataError>(op, ": ", what, " ", values[i], " in row ", i, " is not in 0..", limit - 1);
  return values;
}

}  // namespace squall::cpu
