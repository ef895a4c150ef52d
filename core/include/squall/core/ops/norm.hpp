// Batch normalisation over rows, one statistic per channel (Ioffe, Szegedy 2015; brainstorm's conventions: the running
// mean is stored negated, the running spread as a standard deviation that already contains epsilon).
#pragma once

#include "squall/core/handler.hpp"

namespace squall {

struct BatchNormSpec {
  Index rows = 0, channels = 0;
  double decay = 0.9, epsilon = 1e-5;
};

class BatchNormPlan : public Plan {
 public:
  explicit BatchNormPlan(const BatchNormSpec& spec) : spec_(spec) {}
  const BatchNormSpec& spec() const { return spec_; }
  // Training: batch statistics, mu and sigma moved by (1 - decay). Otherwise: mu and sigma are used and not written.
  void forward(const ConstTensor& x, const ConstTensor& gamma, const ConstTensor& beta, const Tensor& mu,
               const Tensor& sigma, bool training, const Tensor& y);
  // After a forward pass of the same kind. x as in forward.
  void backward(const ConstTensor& x, const ConstTensor& gamma, const ConstTensor& mu, const ConstTensor& sigma,
                bool training, const ConstTensor& dy, const Sink& dx, const Sink& dgamma, const Sink& dbeta);

 protected:
  virtual void do_forward(const ConstTensor&, const ConstTensor&, const ConstTensor&, const Tensor&, const Tensor&,
                          bool, const Tensor&) = 0;
  virtual void do_backward(const ConstTensor&, const ConstTensor&, const ConstTensor&, const ConstTensor&, bool,
                           const ConstTensor&, const Sink&, const Sink&, const Sink&) = 0;

 private:
  BatchNormSpec spec_;
};

class NormOps : public Facet {
 public:
  std::unique_ptr<BatchNormPlan> plan(const BatchNormSpec& spec);
  std::unique_ptr<BatchNormPlan> reference(const BatchNormSpec& spec);

 protected:
  virtual std::unique_ptr<BatchNormPlan> do_plan(const BatchNormSpec&) { return nullptr; }
};

}  // namespace squall
