#include "squall/core/ops/norm.hpp"

#include "compute/checks.hpp"
#include "reference/reference.hpp"

namespace squall {

namespace {

void check_spec(const BatchNormSpec& s) {
  checks::extent("batch norm", "number of rows", s.rows);
  checks::extent("batch norm", "number of channels", s.channels);
  SQUALL_CHECK(s.decay >= 0 && s.decay <= 1, "batch norm: decay ", s.decay, " is not between 0 and 1");
  SQUALL_CHECK(s.epsilon >= 0, "batch norm: epsilon ", s.epsilon, " should not be negative");
}
void check_spec(const GroupNormSpec& s) {
  checks::extent("group norm", "number of examples", s.examples);
  checks::extent("group norm", "number of pixels", s.pixels);
  checks::extent("group norm", "number of channels", s.channels);
  SQUALL_CHECK(s.groups > 0 && s.channels % s.groups == 0, "group norm: ", s.channels, " channels do not make ",
               s.groups, " equal groups");
  SQUALL_CHECK(s.epsilon >= 0, "group norm: epsilon ", s.epsilon, " should not be negative");
}

// Both or none in training; both where they are used.
void check_running(std::string_view op, const BatchNormSpec& s, const ConstTensor& mu, const ConstTensor& sigma,
                   bool training, DType t) {
  if (training && !mu && !sigma) return;
  checks::operand(op, "mu", mu, {s.channels}, t);
  checks::operand(op, "sigma", sigma, {s.channels}, t);
}

// The best plan, or the reference where there is none or nothing to do.
template <class P, class Spec>
std::unique_ptr<P> chosen(std::unique_ptr<P> made, OpGuard* guard, NormOps& ops, const Spec& spec) {
  if (!made) return ops.reference(spec);
  made->set_guard(guard);
  return made;
}

}  // namespace

void BatchNormPlan::forward(const ConstTensor& x, const ConstTensor& gamma, const ConstTensor& beta, const Tensor& mu,
                            const Tensor& sigma, bool training, const Tensor& y, const Tensor& count) {
  constexpr std::string_view op = "batch norm forward";
  const BatchNormSpec& s = spec_;
  const DType t = y.dtype();
  checks::operand(op, "y", y, {s.rows, s.channels}, t);
  checks::operand(op, "x", x, {s.rows, s.channels}, t);
  checks::optional(op, "gamma", gamma, {s.channels}, t);
  checks::optional(op, "beta", beta, {s.channels}, t);
  check_running(op, s, mu, sigma, training, t);
  checks::optional(op, "count", count, {1}, t);
  SQUALL_CHECK(count || !s.cumulative || !training || !mu, op, ": cumulative statistics need a count");
  if (y.elements() == 0) return;
  do_forward(x, gamma, beta, mu, sigma, training, y, count);
  guard(op, y);
  if (!training) return;
  guard("batch norm forward: mu", mu);
  guard("batch norm forward: sigma", sigma);
}

void BatchNormPlan::backward(const ConstTensor& x, const ConstTensor& gamma, const ConstTensor& mu,
                             const ConstTensor& sigma, bool training, const ConstTensor& dy, const Sink& dx,
                             const Sink& dgamma, const Sink& dbeta) {
  constexpr std::string_view op = "batch norm backward";
  const BatchNormSpec& s = spec_;
  const DType t = dy.dtype();
  checks::operand(op, "dy", dy, {s.rows, s.channels}, t);
  checks::operand(op, "x", x, {s.rows, s.channels}, t);
  checks::optional(op, "gamma", gamma, {s.channels}, t);
  check_running(op, s, mu, sigma, training, t);
  checks::optional(op, "dx", dx.to, {s.rows, s.channels}, t);
  checks::optional(op, "dgamma", dgamma.to, {s.channels}, t);
  checks::optional(op, "dbeta", dbeta.to, {s.channels}, t);
  if (s.channels == 0 || (!dx && !dgamma && !dbeta)) return;
  do_backward(x, gamma, mu, sigma, training, dy, dx, dgamma, dbeta);
  guard("batch norm backward: dx", dx.to);
  guard("batch norm backward: dgamma", dgamma.to);
  guard("batch norm backward: dbeta", dbeta.to);
}

void GroupNormPlan::forward(const ConstTensor& x, const ConstTensor& weight, const ConstTensor& bias, const Tensor& y,
                            const Tensor& mean, const Tensor& variance) {
  constexpr std::string_view op = "group norm forward";
  const GroupNormSpec& s = spec_;
  const DType t = y.dtype();
  checks::operand(op, "y", y, {s.examples, s.pixels, s.channels}, t);
  checks::operand(op, "x", x, {s.examples, s.pixels, s.channels}, t);
  checks::optional(op, "weight", weight, {s.channels}, t);
  checks::optional(op, "bias", bias, {s.channels}, t);
  checks::optional(op, "mean", mean, {s.examples, s.groups}, t);
  if (mean) checks::operand(op, "variance", variance, {s.examples, s.groups}, t);
  if (y.elements() == 0) return;
  do_forward(x, weight, bias, y, mean, variance);
  guard(op, y);
}

void GroupNormPlan::backward(const ConstTensor& x, const ConstTensor& weight, const ConstTensor& dy, const Sink& dx,
                             const Sink& dweight, const Sink& dbias) {
  constexpr std::string_view op = "group norm backward";
  const GroupNormSpec& s = spec_;
  const DType t = dy.dtype();
  checks::operand(op, "dy", dy, {s.examples, s.pixels, s.channels}, t);
  checks::operand(op, "x", x, {s.examples, s.pixels, s.channels}, t);
  checks::optional(op, "weight", weight, {s.channels}, t);
  checks::optional(op, "dx", dx.to, {s.examples, s.pixels, s.channels}, t);
  checks::optional(op, "dweight", dweight.to, {s.channels}, t);
  checks::optional(op, "dbias", dbias.to, {s.channels}, t);
  if (s.channels == 0 || (!dx && !dweight && !dbias)) return;
  do_backward(x, weight, dy, dx, dweight, dbias);
  guard("group norm backward: dx", dx.to);
  guard("group norm backward: dweight", dweight.to);
  guard("group norm backward: dbias", dbias.to);
}

std::unique_ptr<BatchNormPlan> NormOps::plan(const BatchNormSpec& spec) {
  check_spec(spec);
  return chosen(spec.rows == 0 || spec.channels == 0 ? nullptr : do_plan(spec), op_guard(), *this, spec);
}
std::unique_ptr<BatchNormPlan> NormOps::reference(const BatchNormSpec& spec) {
  check_spec(spec);
  auto made = make_batch_norm_reference(handler(), spec);
  made->set_guard(op_guard());
  return made;
}

std::unique_ptr<GroupNormPlan> NormOps::plan(const GroupNormSpec& spec) {
  check_spec(spec);
  const bool nothing = spec.examples * spec.pixels * spec.channels == 0;
  return chosen(nothing ? nullptr : do_plan(spec), op_guard(), *this, spec);
}
std::unique_ptr<GroupNormPlan> NormOps::reference(const GroupNormSpec& spec) {
  check_spec(spec);
  auto made = make_group_norm_reference(handler(), spec);
  made->set_guard(op_guard());
  return made;
}

}  // namespace squall
