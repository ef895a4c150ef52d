// Numbers of rows and classes that come from data: kernels report those that are not there.
#pragma once

#include "cuda/context.hpp"
#include "squall/core/error.hpp"

namespace squall::cuda {

// Where a kernel reports an index that is not in 0 .. limit - 1. `op` and `what` are literals.
inline FaultKey* outside(Context& ctx, std::string_view op, std::string_view what, Index limit) {
  const auto raise_index = [](const FaultSite& site, const Fault& fault) {
    raise<DataError>(site.words[0], ": ", site.words[1], " ", fault.value, " in row ", fault.place, " is not in 0..",
                     site.numbers[0] - 1);
  };
  return ctx.fault({raise_index, {op, what}, {limit}});
}

}  // namespace squall::cuda
