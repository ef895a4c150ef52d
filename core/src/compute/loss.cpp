#include "squall/core/ops/loss.hpp"

#include "compute/checks.hpp"
#include "reference/reference.hpp"

namespace squall {

namespace {

void check_spec(const SoftmaxCeSpec& s) {
  checks::extent("softmax cross entropy", "number of rows", s.rows);
  checks::extent("softmax cross entropy", "number of classes", s.classes);
}

}  // namespace

void SoftmaxCePlan::forward(const ConstTensor& x, const ConstTensor& targets, const Tensor& p, const Tensor& loss) {
  const auto who = "softmax cross entropy forward";
  const DType t = p.dtype();
  checks::operand(who, "p", p, {spec_.rows, spec_.classes}, t);
  checks::operand(who, "x", x, {spec_.rows, spec_.classes}, t);
  checks::optional(who, "targets", targets, {spec_.rows}, DType::I32);
  checks::optional(who, "loss", loss, {spec_.rows}, t);
  SQUALL_CHECK(!loss || targets || spec_.rows == 0, who, ": a loss needs targets ", Shape{spec_.rows});
  if (p.elements() == 0) return;
  do_forward(x, targets, p, loss);
  guard(who, p);
  guard("softmax cross entropy forward: loss", loss);
}

void SoftmaxCePlan::backward(const ConstTensor& p, const ConstTensor& targets, const ConstTensor& dloss,
                             const Sink& dx) {
  if (!dx) return;
  const auto who = "softmax cross entropy backward";
  const DType t = dx.to.dtype();
  checks::operand(who, "dx", dx.to, {spec_.rows, spec_.classes}, t);
  checks::operand(who, "p", p, {spec_.rows, spec_.classes}, t);
  checks::operand(who, "targets", targets, {spec_.rows}, DType::I32);
  checks::operand(who, "dloss", dloss, {spec_.rows}, t);
  if (p.elements() == 0) return;
  do_backward(p, targets, dloss, dx);
  guard("softmax cross entropy backward: dx", dx.to);
}

std::unique_ptr<SoftmaxCePlan> LossOps::plan(const SoftmaxCeSpec& spec) {
  check_spec(spec);
  auto made = spec.rows == 0 || spec.classes == 0 ? nullptr : do_plan(spec);
  if (!made) return reference(spec);
  made->set_guard(op_guard());
  return made;
}

std::unique_ptr<SoftmaxCePlan> LossOps::reference(const SoftmaxCeSpec& spec) {
  check_spec(spec);
  auto made = make_softmax_ce_reference(handler(), spec);
  made->set_guard(op_guard());
  return made;
}

void LossOps::sigmoid_ce(const ConstTensor& x, const ConstTensor& t, const Tensor& y, const Tensor& loss) {
  checks::same_size("sigmoid_ce", "x", x, "y", y);
  checks::real(handler(), "sigmoid_ce", "x", x);
  checks::real(handler(), "sigmoid_ce", "y", y);
  if (t) {
    checks::same_size("sigmoid_ce", "x", x, "targets", t);
    checks::real(handler(), "sigmoid_ce", "targets", t);
  }
  if (loss) {
    checks::same_size("sigmoid_ce", "x", x, "loss", loss);
    checks::real(handler(), "sigmoid_ce", "loss", loss);
  }
  SQUALL_CHECK(!loss || t || x.elements() == 0, "sigmoid_ce: a loss needs targets ", x.shape());
  if (x.elements() == 0) return;
  do_sigmoid_ce(x, t, y, loss);
  guard("sigmoid_ce", y);
  if (loss) guard("sigmoid_ce: loss", loss);
}

void LossOps::sigmoid_ce_back(const ConstTensor& y, const ConstTensor& t, const ConstTensor& dloss, const Sink& dx) {
  if (!dx) return;
  checks::same_size("sigmoid_ce_back", "y", y, "targets", t);
  checks::same_size("sigmoid_ce_back", "y", y, "dloss", dloss);
  checks::same_size("sigmoid_ce_back", "y", y, "dx", dx.to);
  checks::real(handler(), "sigmoid_ce_back", "y", y);
  checks::real(handler(), "sigmoid_ce_back", "targets", t);
  checks::real(handler(), "sigmoid_ce_back", "dloss", dloss);
  checks::real(handler(), "sigmoid_ce_back", "dx", dx.to);
  if (y.elements() == 0) return;
  do_sigmoid_ce_back(y, t, dloss, dx);
  guard("sigmoid_ce_back: dx", dx.to);
}

}  // namespace squall
