// Plans of criteria, for LossOps of the CPU.
#pragma once

#include "cpu/context.hpp"
#include "squall/core/ops/criteria.hpp"

namespace squall::cpu {

template <class R>
std::unique_ptr<CriterionPlan> make_criterion(const CriterionSpec& spec, ContextPtr<R> ctx);
template <class R>
std::unique_ptr<CtcPlan> make_ctc(const CtcSpec& spec, ContextPtr<R> ctx);

}  // namespace squall::cpu
