// Criteria beyond those of LossOps: one loss for each number or each example, with PyTorch's definitions, and
// connectionist temporal classification.
#pragma once

#include <vector>

#include "squall/core/handler.hpp"

namespace squall {

enum class Criterion : std::uint8_t {
  // number by number
  L1,
  Mse,
  SmoothL1,
  Huber,
  Bce,
  BceWithLogits,
  KlDiv,
  PoissonNll,
  GaussianNll,
  SoftMargin,
  MarginRanking,
  HingeEmbedding,
  // example by example
  CrossEntropy,
  Nll,
  MultiMargin,
  CosineEmbedding,
  TripletMargin
};

struct CriterionSpec {
  Criterion criterion = Criterion::Mse;
  Index losses = 0;                      // how many are computed: numbers, or examples
  Index width = 1;                       // numbers in an example of a; for numbers: columns that weights stand for
  double margin = 0, scale = 1;          // scale: where SmoothL1 and Huber become straight
  double epsilon = 0, smoothing = 0;     //
  double power = 2;                      // of MultiMargin (1 or 2) and of the norm of TripletMargin
  std::int32_t ignored = -100;           // this class number has loss 0
  bool log_target = false;               // KlDiv
  bool log_input = true;                 // PoissonNll
  bool full = false;                     // likelihoods with their constant terms
  bool swap = false;                     // TripletMargin
  std::vector<double> weights;           // of classes or columns; none: 1
  std::vector<double> positive_weights;  // of columns where the target is 1

  bool by_number() const { return criterion < Criterion::CrossEntropy; }
};

// a: what the network says; b, c: targets, variances, further inputs; labels: class numbers (I32). What a criterion
// does not know stays empty.
struct CriterionRun {
  ConstTensor a, b, c, labels;
};
struct CriterionDeltas {
  Sink a, b, c;
};

class CriterionPlan : public Plan {
 public:
  explicit CriterionPlan(const CriterionSpec& spec) : spec_(spec) {}
  const CriterionSpec& spec() const { return spec_; }
  // shares: what each loss weighs in a mean (CrossEntropy with class numbers, Nll), or empty. DataError where data is
  // not what a criterion is defined for.
  void forward(const CriterionRun& run, const Tensor& losses, const Tensor& shares = {});
  void backward(const CriterionRun& run, const ConstTensor& dlosses, const CriterionDeltas& deltas);

 protected:
  virtual void do_forward(const CriterionRun&, const Tensor&, const Tensor&) = 0;
  virtual void do_backward(const CriterionRun&, const ConstTensor&, const CriterionDeltas&) = 0;

 private:
  CriterionSpec spec_;
};

struct CtcSpec {
  Index steps = 0, examples = 0, classes = 0, longest = 0;  // longest: labels there is room for
  std::int32_t blank = 0;
  bool zero_infinity = false;  // what cannot be aligned has loss 0 and sends nothing back
  bool per_label = false;      // losses are divided by the number of labels (at least 1)
};

struct CtcRun {
  ConstTensor logits;         // (steps, examples, classes)
  ConstTensor targets;        // I32 (examples, longest)
  ConstTensor steps, labels;  // I32 (examples): how many of each are there; empty: all
};

class CtcPlan : public Plan {
 public:
  explicit CtcPlan(const CtcSpec& spec) : spec_(spec) {}
  const CtcSpec& spec() const { return spec_; }
  // losses (examples): -ln of the probability of all alignments; infinite where there is none.
  void forward(const CtcRun& run, const Tensor& losses);
  void backward(const CtcRun& run, const ConstTensor& dlosses, const Sink& dlogits);

 protected:
  virtual void do_forward(const CtcRun&, const Tensor&) = 0;
  virtual void do_backward(const CtcRun&, const ConstTensor&, const Sink&) = 0;

 private:
  CtcSpec spec_;
};

class CriteriaOps : public Facet {
 public:
  std::unique_ptr<CriterionPlan> criterion(const CriterionSpec& spec);
  std::unique_ptr<CtcPlan> ctc(const CtcSpec& spec);

 protected:
  virtual std::unique_ptr<CriterionPlan> do_criterion(const CriterionSpec&) = 0;
  virtual std::unique_ptr<CtcPlan> do_ctc(const CtcSpec&) = 0;
};

}  // namespace squall
