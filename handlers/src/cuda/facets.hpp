// Makers of all facets: those with kernels, one per file in kernels/, and the handler made of them.
#pragma once

#include "cuda/context.hpp"
#include "squall/core/ops/attention.hpp"
#include "squall/core/ops/criteria.hpp"
#include "squall/core/ops/embedding.hpp"
#include "squall/core/ops/linalg.hpp"
#include "squall/core/ops/loss.hpp"
#include "squall/core/ops/memory.hpp"
#include "squall/core/ops/norm.hpp"
#include "squall/core/ops/optim.hpp"
#include "squall/core/ops/random.hpp"
#include "squall/core/ops/recurrent.hpp"

namespace squall::cuda::SQUALL_GRID {

template <class R>
std::unique_ptr<ElementwiseOps> make_elementwise(ContextPtr ctx);
template <class R>
std::unique_ptr<LinalgOps> make_linalg(ContextPtr ctx);
template <class R>
std::unique_ptr<WindowOps> make_windows(ContextPtr ctx);
template <class R>
std::unique_ptr<RandomOps> make_random(ContextPtr ctx);
template <class R>
std::unique_ptr<LossOps> make_loss(ContextPtr ctx);
template <class R>
std::unique_ptr<CriteriaOps> make_criteria(ContextPtr ctx);
template <class R>
std::unique_ptr<OptimOps> make_optim(ContextPtr ctx);
template <class R>
std::unique_ptr<PoolOps> make_pool(ContextPtr ctx);
template <class R>
std::unique_ptr<EmbeddingOps> make_embedding(ContextPtr ctx);
template <class R>
std::unique_ptr<DenseOps> make_dense(ContextPtr ctx);
template <class R>
std::unique_ptr<ConvOps> make_conv(ContextPtr ctx);
template <class R>
std::unique_ptr<AttentionOps> make_attention(ContextPtr ctx);
template <class R>
std::unique_ptr<NormOps> make_norm(ContextPtr ctx);
template <class R>
std::unique_ptr<RecurrentOps> make_recurrent(ContextPtr ctx);

template <class R>
Facets make_facets(const ContextPtr& ctx) {
  Facets f;
  f.memory = make_memory(ctx);
  f.elementwise = make_elementwise<R>(ctx);
  f.linalg = make_linalg<R>(ctx);
  f.windows = make_windows<R>(ctx);
  f.random = make_random<R>(ctx);
  f.dense = make_dense<R>(ctx);
  f.conv = make_conv<R>(ctx);
  f.pool = make_pool<R>(ctx);
  f.norm = make_norm<R>(ctx);
  f.recurrent = make_recurrent<R>(ctx);
  f.attention = make_attention<R>(ctx);
  f.embedding = make_embedding<R>(ctx);
  f.loss = make_loss<R>(ctx);
  f.criteria = make_criteria<R>(ctx);
  f.optim = make_optim<R>(ctx);
  return f;
}

// Both instantiations of a maker, for the end of its file.
#define SQUALL_GRID_MAKER(Ops, maker)                         \
  template std::unique_ptr<Ops> maker<float>(ContextPtr ctx); \
  template std::unique_ptr<Ops> maker<double>(ContextPtr ctx)

}  // namespace squall::cuda::SQUALL_GRID
