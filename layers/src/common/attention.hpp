// Attention of several heads with its projections, as a part of layers.
#pragma once

#include "common/drop.hpp"
#include "common/projection.hpp"
#include "common/sequences.hpp"

namespace squall {

// Inputs that say who may see whom.
class AttentionMasks {
 public:
  // Connected ones only. `added`: real numbers that are added to scores, else U8 where 1 forbids.
  void declare(Declare& d, const std::string& mask, const std::string& padding, bool added);
  // Writes their extents into the spec.
  void prepare(Prepare& p, AttentionSpec& spec) const;
  template <class P>
  void give(P& pass, AttentionRun& run) const {
    if (has_mask_) run.mask = pass[mask_];
    if (has_padding_) run.padding = pass[padding_];
  }

 private:
  bool has_mask_ = false, has_padding_ = false, batched_ = false;
  In mask_, padding_;
  std::string mask_name_, padding_name_;
};

class AttentionBlock {
 public:
  enum class Source : std::uint8_t { Self, Memory, Three };  // keys are the queries; values are the keys; neither
  struct Wanted {
    std::string prefix;  // of names
    Index embed = 0, heads = 1, kdim = 0, vdim = 0;
    bool bias = true, bias_kv = false, zero_key = false, causal = false;
    double dropout = 0;
    Source source = Source::Self;
    bool maskable = false, fixed = false;
    bool weights = false, averaged = true;
    int number = 0;  // of its random stream
  };
  void declare(Declare& d, const Wanted& wanted, const Sequences& queries, const BufferShape& query,
               const Sequences& keys, const BufferShape& key);
  AttentionMasks& masks() { return masks_; }
  void prepare(Prepare& p, const SequenceSizes& queries, const SequenceSizes& keys, bool weights) const;
  // k and v as their source says; y may be empty, weights too.
  void forward(Forward& f, const ConstTensor& q, const ConstTensor& k, const ConstTensor& v, const Tensor& y,
               const Tensor& weights = {}) const;
  // dy may be destroyed. Sinks are written in this order; those of what has the source of another are empty.
  void backward(Backward& b, const ConstTensor& q, const ConstTensor& k, const ConstTensor& v, const Tensor& dy,
                const ConstTensor& dweights, const Sink& dq, const Sink& dk, const Sink& dv) const;
  Index more_keys() const { return (wanted_.bias_kv ? 1 : 0) + (wanted_.zero_key ? 1 : 0); }

 private:
  struct Views {  // of all heads together
    Matrix q, k, v;
  };
  void declare_parameters(Declare& d);
  void declare_projections(Declare& d);
  Views views(const std::array<Tensor, 3>& projected) const;
  void append(const Pass& pass, const Matrix& from, const Tensor& all, Param bias) const;
  void take_back(Backward& b, const Tensor& all, const Matrix& to, Param bias) const;
  Matrix row_of(const Tensor& all, Index step) const;
  AttentionRun run_of(const Pass& pass, const Views& v) const;

  Wanted wanted_;
  bool joint_ = true, batch_first_ = false;
  Param in_weight_, in_bias_, q_weight_, k_weight_, v_weight_, out_weight_, out_bias_, bias_k_, bias_v_;
  std::array<Projection, 3> in_;
  int products_ = 1;  // how many of them
  Projection out_;
  AttentionMasks masks_;
  PlanSlot<AttentionPlan> plan_;
  std::array<Internal, 3> projected_, deltas_;
  Internal all_k_, all_v_, dall_k_, dall_v_, context_, dcontext_;
};

}  // namespace squall
