// What all criteria with an option `reduction` share: the output `loss` with one loss for each example (or number), or
// their sum or mean; and the plan that computes them.
#pragma once

#include <array>

#include "common/declarations.hpp"
#include "squall/core/catalog.hpp"
#include "squall/core/ops/criteria.hpp"

namespace squall {

enum class Reduction : std::uint8_t { None, Mean, Sum };
std::span<const EnumName<Reduction>> enum_names(Reduction);  // "none", "mean", "sum"
inline constexpr const char* kReductionHelp =
    "none: a loss for each of them (a Loss sums them up and divides by the batch size); mean, sum: one number";

// From the losses of examples to the output, and back.
class Reducer {
 public:
  enum class How : std::uint8_t { None, Mean, Sum, BatchMean, WeightedMean };
  static How of(Reduction r);
  void declare(Declare& d, How how, const BufferShape& examples, In first);
  bool active(const Forward& f) const { return f.active(loss_); }
  // Where the losses of examples and their shares (WeightedMean) are to be written.
  Tensor losses(Forward& f) const { return how_ == How::None ? f[loss_] : f[losses_]; }
  Tensor shares(Forward& f) const { return how_ == How::WeightedMean ? f[shares_] : Tensor(); }
  void forward(Forward& f) const;
  // Deltas of the losses of examples.
  Tensor backward(Backward& b) const;
  Out loss() const { return loss_; }

 private:
  double divisor(const Pass& p, Index losses) const;
  How how_ = How::None;
  In first_;
  Out loss_;
  Internal losses_, shares_, total_, deltas_;
};

// A weight for each entry of the last axis, or none.
void require_weights(const Declare& d, std::string_view option, const std::vector<double>& weights, In x);
// (..., 1): one number for each row of x.
BufferShape one_per_row(const Declare& d, In x);
void require_one_per_row(const Declare& d, std::string_view name, In targets, std::string_view x_name, In x);

// D declares its inputs into slots_ and calls finish(); `criterion()` says what is computed.
template <class D, class Options>
class CriterionLayer : public LayerOf<D, Options> {
 public:
  void prepare(Prepare& p) const override {
    CriterionSpec spec = static_cast<const D&>(*this).criterion();
    const Shape a = p.shape(slots_[0]);
    spec.width = a[-1];
    spec.losses = spec.by_number() ? a.elements() : a.until(a.rank() - 1).elements();
    p.keep(plan_, p.handler().criteria().criterion(spec));
  }
  void forward(Forward& f) const override {
    if (!reducer_.active(f)) return;
    f[plan_].forward(run(f), reducer_.losses(f), reducer_.shares(f));
    reducer_.forward(f);
  }
  void backward(Backward& b) const override {
    const Tensor dlosses = reducer_.backward(b);
    CriterionDeltas deltas;
    const std::array<Sink*, 3> to{&deltas.a, &deltas.b, &deltas.c};
    for (std::size_t i = 0; i < 3; ++i)
      if (used(slots_[i])) *to[i] = b.delta(slots_[i]);
    b[plan_].backward(run(b), dlosses, deltas);
  }

 protected:
  static bool used(In in) { return in.index >= 0; }
  // `examples`: shape of the losses without reduction.
  void finish(Declare& d, Reducer::How how, const BufferShape& examples) {
    plan_ = d.template plan<CriterionPlan>();
    reducer_.declare(d, how, examples, slots_[0]);
    for (const In in : slots_)
      if (used(in)) d.backward_reads(in);
    if (used(labels_)) d.backward_reads(labels_);
  }
  // Two inputs of the same shape, compared number by number.
  void declare_pair(Declare& d, Reducer::How how, bool target_differentiable) {
    slots_[0] = d.input("default", "...");
    slots_[1] = d.input("targets", "...", {.differentiable = target_differentiable});
    require_equal(d, "default", slots_[0], "targets", slots_[1]);
    finish(d, how, d.like(slots_[0]));
  }
  void declare_pair(Declare& d, Reduction how, bool target_differentiable) {
    declare_pair(d, Reducer::of(how), target_differentiable);
  }
  void declare_labels(Declare& d) {
    labels_ = d.input("targets", "...", {.dtype = DType::I32, .differentiable = false});
    require_one_per_row(d, "targets", labels_, "default", slots_[0]);
  }

  std::array<In, 3> slots_;  // a, b, c of the criterion
  In labels_;
  Reducer reducer_;
  PlanSlot<CriterionPlan> plan_;

 private:
  template <class P>
  CriterionRun run(P& pass) const {
    const auto get = [&](In in) { return used(in) ? ConstTensor(pass[in]) : ConstTensor(); };
    return {get(slots_[0]), get(slots_[1]), get(slots_[2]), get(labels_)};
  }
};

}  // namespace squall
