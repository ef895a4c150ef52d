#include "squall/core/ops/criteria.hpp"

#include "compute/checks.hpp"

namespace squall {

namespace {

constexpr std::string_view kForward = "criterion forward", kBackward = "criterion backward";

bool labelled(const CriterionSpec& s, const CriterionRun& run) {
  return (s.criterion == Criterion::CrossEntropy && !run.b) || s.criterion == Criterion::Nll ||
         s.criterion == Criterion::MultiMargin;
}
bool has_third(Criterion c) {
  return c == Criterion::GaussianNll || c == Criterion::MarginRanking || c == Criterion::CosineEmbedding ||
         c == Criterion::TripletMargin;
}

void check_run(std::string_view op, const CriterionSpec& s, const CriterionRun& run, DType t) {
  const Index size = s.by_number() ? s.losses : s.losses * s.width;
  checks::operand(op, "a", run.a, {size}, t);
  if (labelled(s, run))
    checks::operand(op, "labels", run.labels, {s.losses}, DType::I32);
  else
    checks::operand(op, "b", run.b, {size}, t);
  if (has_third(s.criterion))
    checks::operand(op, "c", run.c, {s.criterion == Criterion::CosineEmbedding ? s.losses : size}, t);
}

void check_ctc(std::string_view op, const CtcSpec& s, const CtcRun& run, DType t) {
  checks::operand(op, "logits", run.logits, {s.steps, s.examples, s.classes}, t);
  checks::operand(op, "targets", run.targets, {s.examples, s.longest}, DType::I32);
  checks::optional(op, "numbers of steps", run.steps, {s.examples}, DType::I32);
  checks::optional(op, "numbers of labels", run.labels, {s.examples}, DType::I32);
}

}  // namespace

void CriterionPlan::forward(const CriterionRun& run, const Tensor& losses, const Tensor& shares) {
  check_run(kForward, spec_, run, losses.dtype());
  checks::operand(kForward, "losses", losses, {spec_.losses}, losses.dtype());
  checks::optional(kForward, "shares", shares, {spec_.losses}, losses.dtype());
  if (spec_.losses == 0) return;
  do_forward(run, losses, shares);
  guard(kForward, losses);
}

void CriterionPlan::backward(const CriterionRun& run, const ConstTensor& dlosses, const CriterionDeltas& deltas) {
  if (!deltas.a && !deltas.b && !deltas.c) return;
  check_run(kBackward, spec_, run, dlosses.dtype());
  checks::operand(kBackward, "dlosses", dlosses, {spec_.losses}, dlosses.dtype());
  const auto delta = [&](std::string_view what, const Sink& to, const ConstTensor& x) {
    if (to) checks::operand(kBackward, what, to.to, {x.elements()}, dlosses.dtype());
  };
  delta("da", deltas.a, run.a);
  delta("db", deltas.b, run.b);
  delta("dc", deltas.c, run.c);
  if (spec_.losses == 0) return;
  do_backward(run, dlosses, deltas);
  guard("criterion backward: da", deltas.a.to);
  guard("criterion backward: db", deltas.b.to);
  guard("criterion backward: dc", deltas.c.to);
}

void CtcPlan::forward(const CtcRun& run, const Tensor& losses) {
  check_ctc("ctc forward", spec_, run, losses.dtype());
  checks::operand("ctc forward", "losses", losses, {spec_.examples}, losses.dtype());
  if (spec_.examples == 0) return;
  do_forward(run, losses);
  guard("ctc forward", losses);
}

void CtcPlan::backward(const CtcRun& run, const ConstTensor& dlosses, const Sink& dlogits) {
  if (!dlogits) return;
  check_ctc("ctc backward", spec_, run, dlosses.dtype());
  checks::operand("ctc backward", "dlosses", dlosses, {spec_.examples}, dlosses.dtype());
  checks::operand("ctc backward", "dlogits", dlogits.to, {spec_.steps, spec_.examples, spec_.classes}, dlosses.dtype());
  if (spec_.examples == 0) return;
  do_backward(run, dlosses, dlogits);
  guard("ctc backward: dlogits", dlogits.to);
}

std::unique_ptr<CriterionPlan> CriteriaOps::criterion(const CriterionSpec& spec) {
  checks::extent("criterion", "number of losses", spec.losses);
  checks::extent("criterion", "width", spec.width);
  const auto columns = static_cast<Index>(spec.weights.size());
  SQUALL_CHECK(columns == 0 || columns == spec.width, "criterion: ", columns, " weights for ", spec.width, " columns");
  const auto positive = static_cast<Index>(spec.positive_weights.size());
  SQUALL_CHECK(positive == 0 || positive == spec.width, "criterion: ", positive, " weights of positive targets for ",
               spec.width, " columns");
  auto made = do_criterion(spec);
  made->set_guard(op_guard());
  return made;
}

std::unique_ptr<CtcPlan> CriteriaOps::ctc(const CtcSpec& spec) {
  checks::extent("ctc", "number of steps", spec.steps);
  checks::extent("ctc", "number of examples", spec.examples);
  checks::extent("ctc", "number of labels", spec.longest);
  SQUALL_CHECK(spec.blank >= 0 && spec.blank < spec.classes, "ctc: the blank ", spec.blank, " is not in 0..",
               spec.classes - 1);
  auto made = do_ctc(spec);
  made->set_guard(op_guard());
  return made;
}

}  // namespace squall
