#include "squall/core/ops/random.hpp"

#include "compute/checks.hpp"

namespace squall {

void RandomOps::uniform(RandomKey key, double low, double high, const Tensor& out) {
  checks::real(handler(), "uniform", "result", out);
  SQUALL_CHECK(low <= high, "uniform: lower limit ", low, " is above upper limit ", high);
  if (out.elements() == 0) return;
  do_uniform(key, low, high, out);
  guard("uniform", out);
}

void RandomOps::gaussian(RandomKey key, double mean, double deviation, const Tensor& out) {
  checks::real(handler(), "gaussian", "result", out);
  SQUALL_CHECK(deviation >= 0, "gaussian: standard deviation ", deviation, " should not be negative");
  if (out.elements() == 0) return;
  do_gaussian(key, mean, deviation, out);
  guard("gaussian", out);
}

void RandomOps::bernoulli(RandomKey key, double p, const Tensor& out) {
  if (out.dtype() != DType::U8) checks::real(handler(), "bernoulli", "result", out);
  checks::present("bernoulli", "result", out);
  SQUALL_CHECK(p >= 0 && p <= 1, "bernoulli: probability ", p, " is not between 0 and 1");
  if (out.elements() == 0) return;
  do_bernoulli(key, p, out);
  guard("bernoulli", out);
}

}  // namespace squall
