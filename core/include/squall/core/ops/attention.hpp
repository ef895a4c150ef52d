// Attention of several heads (Vaswani et al. 2017): y = softmax(scale q k^T + mask) v. Fast plans go by blocks of keys
// with a running maximum and sum (Dao et al. 2022): nothing as large as (queries, keys) of all heads is ever made
// unless the weights are asked for.
#pragma once

#include "squall/core/handler.hpp"
#include "squall/core/random.hpp"

namespace squall {

struct AttentionSpec {
  Index batch = 0, heads = 1, queries = 0, keys = 0;
  Index key_dim = 0, value_dim = 0;  // of one head
  double scale = 1;
  bool causal = false;       // query i sees keys 0 .. i
  bool batch_first = false;  // rows are (batch, time), else (time, batch)
  Index open_keys = 0;       // so many of the last keys are seen by every query, whatever masks say
  // Extents of `mask` before its queries and keys: 1 (the same for all) or all.
  Index mask_batch = 1, mask_heads = 1;
  bool padding_batch_first = false;  // `padding` is (batch, keys), else (keys, batch)
  double dropout = 0;                // share of the weights that are 0 in training; the others are scaled up
  bool training = false;
  bool weights = false;   // whether they can be asked for
  bool averaged = false;  // over the heads

  double keep() const { return training ? 1.0 - dropout : 1.0; }
  Index masked_keys() const { return keys - open_keys; }
  Shape mask_shape() const { return {mask_batch, mask_heads, queries, masked_keys()}; }
  // A row of the weights: (heads, keys), or (keys) of their average.
  Index weight_columns() const { return averaged ? keys : heads * keys; }
};

// Rows of q and y are queries of examples, those of k and v keys of examples; columns are heads, then dimensions. Parts
// of one tensor serve without copies. A query to which every key is forbidden gets zeros and sends back zeros.
struct AttentionRun {
  ConstMatrix q, k, v;
  Matrix y;
  ConstTensor mask;     // optional: U8, 1 is forbidden, or real, added to the scores (-infinity forbids)
  ConstTensor padding;  // optional, the same of whole keys, without the open ones
  Tensor weights;       // optional: rows as those of y, (heads, keys) or averaged; after dropout
  RandomKey random;     // of dropout: the same in backward
};
struct AttentionDeltas {
  ConstMatrix dy;        // has no data where only the weights got one
  ConstTensor dweights;  // optional
  MatrixSink dq = Sink(), dk = Sink(), dv = Sink();
};

class AttentionPlan : public Plan {
 public:
  explicit AttentionPlan(const AttentionSpec& spec) : spec_(spec) {}
  const AttentionSpec& spec() const { return spec_; }
  void forward(const AttentionRun& run);
  // After forward of the same run; y as it left it. Empty sinks are not computed.
  void backward(const AttentionRun& run, const AttentionDeltas& d);

 protected:
  virtual void do_forward(const AttentionRun& run) = 0;
  virtual void do_backward(const AttentionRun& run, const AttentionDeltas& d) = 0;

 private:
  AttentionSpec spec_;
};

// The stream of dropout of one head of one example: element (query, key) is kept where element query * round_up(keys,
// 4) + key of a Bernoulli fill is 1.
RandomKey attention_stream(RandomKey key, Index example_and_head);

class AttentionOps : public Facet {
 public:
  std::unique_ptr<AttentionPlan> plan(const AttentionSpec& spec);       // the best this handler has
  std::unique_ptr<AttentionPlan> reference(const AttentionSpec& spec);  // elementary operations only: the oracle

 protected:
  virtual std::unique_ptr<AttentionPlan> do_plan(const AttentionSpec&) { return nullptr; }
};

}  // namespace squall
