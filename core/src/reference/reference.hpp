// Plans made of elementary operations alone: correct on every backend, and what fast plans are compared with.
#pragma once

#include "squall/core/ops/attention.hpp"
#include "squall/core/ops/conv.hpp"
#include "squall/core/ops/dense.hpp"
#include "squall/core/ops/embedding.hpp"
#include "squall/core/ops/loss.hpp"
#include "squall/core/ops/norm.hpp"
#include "squall/core/ops/recurrent.hpp"

namespace squall {

std::unique_ptr<DensePlan> make_dense_reference(Handler& handler, const DenseSpec& spec);
std::unique_ptr<ConvPlan> make_conv_reference(Handler& handler, const ConvSpec& spec);
// From a plan without pattern for the same shapes: entries are spread into a dense weight before each run.
std::unique_ptr<DensePlan> make_spread_dense(Handler& handler, const DenseSpec& spec, std::unique_ptr<DensePlan> dense);
std::unique_ptr<ConvPlan> make_spread_conv(Handler& handler, const ConvSpec& spec, std::unique_ptr<ConvPlan> dense);
std::unique_ptr<PoolPlan> make_pool_reference(Handler& handler, const PoolSpec& spec);
std::unique_ptr<PixelMapPlan> make_pixel_map_reference(Handler& handler, const PixelMapSpec& spec);
std::unique_ptr<BatchNormPlan> make_batch_norm_reference(Handler& handler, const BatchNormSpec& spec);
std::unique_ptr<GroupNormPlan> make_group_norm_reference(Handler& handler, const GroupNormSpec& spec);
std::unique_ptr<AttentionPlan> make_attention_reference(Handler& handler, const AttentionSpec& spec);
std::unique_ptr<EmbeddingPlan> make_embedding_reference(Handler& handler, const EmbeddingSpec& spec);
std::unique_ptr<RecurrentPlan> make_recurrent_reference(Handler& handler, const RecurrentSpec& spec);
std::unique_ptr<SoftmaxCePlan> make_softmax_ce_reference(Handler& handler, const SoftmaxCeSpec& spec);

}  // namespace squall
