// Normalisation of each example alone.
#pragma once

#include "cpu/context.hpp"
#include "squall/core/ops/norm.hpp"

namespace squall::cpu {

template <class R>
std::unique_ptr<GroupNormPlan> make_group_norm(const GroupNormSpec& spec, ContextPtr<R> ctx);

}  // namespace squall::cpu
