// The facets of a CPU handler, one maker each; R is float or double.
#pragma once

#include "cpu/context.hpp"
#include "squall/core/ops/attention.hpp"
#include "squall/core/ops/conv.hpp"
#include "squall/core/ops/criteria.hpp"
#include "squall/core/ops/dense.hpp"
#include "squall/core/ops/embedding.hpp"
#include "squall/core/ops/linalg.hpp"
#include "squall/core/ops/loss.hpp"
#include "squall/core/ops/memory.hpp"
#include "squall/core/ops/norm.hpp"
#include "squall/core/ops/optim.hpp"
#include "squall/core/ops/random.hpp"
#include "squall/core/ops/recurrent.hpp"
#include "squall/core/ops/windows.hpp"

namespace squall::cpu {

std::unique_ptr<MemoryOps> make_memory(const Parallel& parallel);
template <class R>
std::unique_ptr<ElementwiseOps> make_elementwise(ContextPtr<R> ctx);
template <class R>
std::unique_ptr<LinalgOps> make_linalg(ContextPtr<R> ctx);
template <class R>
std::unique_ptr<WindowOps> make_windows(ContextPtr<R> ctx);
template <class R>
std::unique_ptr<RandomOps> make_random(ContextPtr<R> ctx);
template <class R>
std::unique_ptr<DenseOps> make_dense(ContextPtr<R> ctx);
template <class R>
std::unique_ptr<ConvOps> make_conv(ContextPtr<R> ctx);
template <class R>
std::unique_ptr<PoolOps> make_pool(ContextPtr<R> ctx);
template <class R>
std::unique_ptr<NormOps> make_norm(ContextPtr<R> ctx);
template <class R>
std::unique_ptr<RecurrentOps> make_recurrent(ContextPtr<R> ctx);
template <class R>
std::unique_ptr<AttentionOps> make_attention(ContextPtr<R> ctx);
template <class R>
std::unique_ptr<EmbeddingOps> make_embedding(ContextPtr<R> ctx);
template <class R>
std::unique_ptr<LossOps> make_loss(ContextPtr<R> ctx);
template <class R>
std::unique_ptr<CriteriaOps> make_criteria(ContextPtr<R> ctx);
template <class R>
std::unique_ptr<OptimOps> make_optim(ContextPtr<R> ctx);

// Both instantiations of a maker, for the end of its file.
#define SQUALL_CPU_MAKER(Ops, name)                                 \
  template std::unique_ptr<Ops> name<float>(ContextPtr<float> ctx); \
  template std::unique_ptr<Ops> name<double>(ContextPtr<double> ctx)

}  // namespace squall::cpu
