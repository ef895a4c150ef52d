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

}  // namespace

void BatchNormPlan::forward(const ConstTensor& x, const ConstTensor& gamma, const ConstTensor& beta, const Tensor& mu,
                            const Tensor& sigma, bool training, const Tensor& y) {
  const BatchNormSpec& s = spec_;
  const DType t = y.dtype();
  checks::operand("batch norm forward", "y", y, {s.rows, s.channels}, t);
  checks::operand("batch norm forward", "x", x, {s.rows, s.channels}, t);
  checks::operand("batch norm forward", "gamma", gamma, {s.channels}, t);
  checks::operand("batch norm forward", "beta", beta, {s.channels}, t);
  checks::operand("batch norm forward", "mu", mu, {s.channels}, t);
  checks::operand("batch norm forward", "sigma", sigma, {s.channels}, t);
  if (y.elements() == 0) return;
  do_forward(x, gamma, beta, mu, sigma, training, y);
  guard("batch norm forward", y);
  if (!training) return;
  guard("batch norm forward: mu", mu);
  guard("batch norm forward: sigma", sigma);
}

void BatchNormPlan::backward(const ConstTensor& x, const ConstTensor& gamma, const ConstTensor& mu,
                             const ConstTensor& sigma, bool training, const ConstTensor& dy, const Sink& dx,
                             const Sink& dgamma, const Sink& dbeta) {
  const BatchNormSpec& s = spec_;
  const DType t = dy.dtype();
  checks::operand("batch norm backward", "dy", dy, {s.rows, s.channels}, t);
  checks::operand("batch norm backward", "x", x, {s.rows, s.channels}, t);
  checks::operand("batch norm backward", "gamma", gamma, {s.channels}, t);
  checks::operand("batch norm backward", "mu", mu, {s.channels}, t);
  checks::operand("batch norm backward", "sigma", sigma, {s.channels}, t);
  checks::optional("batch norm backward", "dx", dx.to, {s.rows, s.channels}, t);
  checks::optional("batch norm backward", "dgamma", dgamma.to, {s.channels}, t);
  checks::optional("batch norm backward", "dbeta", dbeta.to, {s.channels}, t);
  if (s.channels == 0 || (!dx && !dgamma && !dbeta)) return;
  do_backward(x, gamma, mu, sigma, training, dy, dx, dgamma, dbeta);
  guard("batch norm backward: dx", dx.to);
  guard("batch norm backward: dgamma", dgamma.to);
  guard("batch norm backward: dbeta", dbeta.to);
}

std::unique_ptr<BatchNormPlan> NormOps::plan(const BatchNormSpec& spec) {
  check_spec(spec);
  auto made = spec.rows == 0 || spec.channels == 0 ? nullptr : do_plan(spec);
  if (!made) return reference(spec);
  made->set_guard(op_guard());
  return made;
}

std::unique_ptr<BatchNormPlan> NormOps::reference(const BatchNormSpec& spec) {
  check_spec(spec);
  auto made = make_batch_norm_reference(handler(), spec);
  made->set_guard(op_guard());
  return made;
}

}  // namespace squall
