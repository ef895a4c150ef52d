#include "squall/core/ops/optim.hpp"

#include "compute/checks.hpp"

namespace squall {

namespace {

enum class Needs { Gradient, State, GradientAndState };

void member(const Handler& h, std::string_view op, std::string_view what, const ConstTensor& x, const Tensor& value) {
  SQUALL_CHECK(x || value.elements() == 0, op, ": ", what, " is missing");
  checks::same_size(op, "value", value, what, x);
  checks::real(h, op, what, x);
}

void range(const Handler& h, std::string_view op, const UpdateRange& p, Needs needs) {
  checks::real(h, op, "value", p.value);
  if (needs != Needs::State) member(h, op, "gradient", p.gradient, p.value);
  if (needs != Needs::Gradient) member(h, op, "state", p.state0, p.value);
  if (!p.write) return;
  checks::same_size(op, "value", p.value, "write mask", p.write);
  checks::type(op, "write mask", p.write, DType::U8);
}

// Coefficients that must be shares or must not be negative, where a rule has them.
template <class F>
void coefficients(const F& f) {
  const auto share = [](const char* name, double v) {
    SQUALL_CHECK(v >= 0 && v <= 1, F::kName, ": ", name, " ", v, " should be between 0 and 1");
  };
  if constexpr (requires { f.beta1; }) {
    share("beta1", f.beta1);
    share("beta2", f.beta2);
  }
  if constexpr (requires { f.keep; }) share("keep", f.keep);
  if constexpr (requires { f.epsilon; })
    SQUALL_CHECK(f.epsilon >= 0, F::kName, ": epsilon ", f.epsilon, " should not be negative");
}

void decay(const Handler& h, std::string_view op, const ConstTensor& w, const Tensor& g) {
  checks::same_size(op, "weights", w, "gradient", g);
  checks::real(h, op, "weights", w);
  checks::real(h, op, "gradient", g);
}

}  // namespace

void OptimOps::sgd(const UpdateRange& p, double rate) {
  range(handler(), "sgd", p, Needs::Gradient);
  if (p.value.elements() == 0) return;
  do_sgd(p, rate);
  guard("sgd", p.value);
}

void OptimOps::momentum(const UpdateRange& p, double rate, double mu) {
  range(handler(), "momentum", p, Needs::GradientAndState);
  if (p.value.elements() == 0) return;
  do_momentum(p, rate, mu);
  guard("momentum", p.value);
  guard("momentum (velocity)", p.state0);
}

void OptimOps::nesterov_ahead(const UpdateRange& p, double mu) {
  range(handler(), "nesterov_ahead", p, Needs::State);
  if (p.value.elements() == 0) return;
  do_nesterov_ahead(p, mu);
  guard("nesterov_ahead", p.value);
  guard("nesterov_ahead (velocity)", p.state0);
}

void OptimOps::nesterov_correct(const UpdateRange& p, double rate) {
  range(handler(), "nesterov_correct", p, Needs::GradientAndState);
  if (p.value.elements() == 0) return;
  do_nesterov_correct(p, rate);
  guard("nesterov_correct", p.value);
  guard("nesterov_correct (velocity)", p.state0);
}

void OptimOps::update(const UpdateRange& p, const UpdateFormula& formula) {
  const auto [name, states] = std::visit(
      [](const auto& f) {
        coefficients(f);
        return std::pair{std::string_view(f.kName), f.kStates};
      },
      formula);
  range(handler(), name, p, states > 0 ? Needs::GradientAndState : Needs::Gradient);
  if (states > 1) member(handler(), name, "second state", p.state1, p.value);
  if (states > 2) member(handler(), name, "third state", p.state2, p.value);
  if (p.value.elements() == 0) return;
  do_update(p, formula);
  guard(name, p.value);
  if (states > 0) guard(name, p.state0);
  if (states > 1) guard(name, p.state1);
  if (states > 2) guard(name, p.state2);
}

void OptimOps::constrain_rows(const Matrix& w, double limit) {
  checks::plain(handler(), "constrain_rows", "weights", w);
  SQUALL_CHECK(limit > 0, "constrain_rows: limit ", limit, " should be above 0");
  if (w.nrows == 0 || w.ncols == 0) return;
  do_constrain_rows(w, limit);
  guard("constrain_rows", w);
}

void OptimOps::l1_decay(const ConstTensor& w, double factor, const Tensor& g) {
  decay(handler(), "l1_decay", w, g);
  if (w.elements() == 0) return;
  do_l1_decay(w, factor, g);
  guard("l1_decay", g);
}

void OptimOps::l2_decay(const ConstTensor& w, double factor, const Tensor& g) {
  decay(handler(), "l2_decay", w, g);
  if (w.elements() == 0) return;
  do_l2_decay(w, factor, g);
  guard("l2_decay", g);
}

double OptimOps::power_sum(const ConstTensor& x, double power) {
  checks::real(handler(), "power_sum", "x", x);
  SQUALL_CHECK(power > 0, "power_sum: power ", power, " should be above 0");
  return x.elements() == 0 ? 0 : do_power_sum(x, power);
}

}  // namespace squall
