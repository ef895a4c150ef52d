// Numbers of rows and classes that come from data: kernels report those that are not there.
#pragma once

#include "cuda/context.hpp"
#include "squall/core/error.hpp"

namespace squall::cuda {

// Where a kernel reports an index that is not in 0 .. limit - 1.
inline FaultKey* outside(Context& ctx, std::string_view op, std::string_view what, Index limit) {
  return ctx.fault({concat(op, ": ", what, "|", limit - 1), [](const std::string& text, const Fault& fault) {
                      const std::size_t bar = text.rfind('|');
                      raise<DataError>(text.substr(0, bar), " ", fault.value, " in row ", fault.place, " is not in 0..",
                                       text.substr(bar + 1));
                    }});
}

}  // namespace squall::cuda
