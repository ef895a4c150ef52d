// Connectionist temporal classification on the CPU, for its CriteriaOps.
#pragma once

#include "cpu/context.hpp"
#include "squall/core/ops/criteria.hpp"

namespace squall::cpu {

template <class R>
std::unique_ptr<CtcPlan> make_ctc(const CtcSpec& spec, ContextPtr<R> ctx);

}  // namespace squall::cpu
