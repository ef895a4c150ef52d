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

// Facets without kernels of their own: plans of a library where the context has them, else references.
class GridDense final : public DenseOps {
 public:
  explicit GridDense(ContextPtr ctx) : ctx_(std::move(ctx)) {}

 protected:
  std::unique_ptr<DensePlan> do_plan(const DenseSpec& spec) override { return ctx_->dense(handler(), spec); }

 private:
  ContextPtr ctx_;
};
class GridConv final : public ConvOps {
 public:
  explicit GridConv(ContextPtr ctx) : ctx_(std::move(ctx)) {}

 protected:
  std::unique_ptr<ConvPlan> do_plan(const ConvSpec& spec) override { return ctx_->conv(handler(), spec); }

 private:
  ContextPtr ctx_;
};
class ReferenceNorm final : public NormOps {};
class ReferenceRecurrent final : public RecurrentOps {};
class ReferenceAttention final : public AttentionOps {};

template <class R>
Facets make_facets(const ContextPtr& ctx) {
  Facets f;
  f.memory = make_memory(ctx);
  f.elementwise = make_elementwise<R>(ctx);
  f.linalg = make_linalg<R>(ctx);
  f.windows = make_windows<R>(ctx);
  f.random = make_random<R>(ctx);
  f.dense = std::make_unique<GridDense>(ctx);
  f.conv = std::make_unique<GridConv>(ctx);
  f.pool = make_pool<R>(ctx);
  f.norm = std::make_unique<ReferenceNorm>();
  f.recurrent = std::make_unique<ReferenceRecurrent>();
  f.attention = std::make_unique<ReferenceAttention>();
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
