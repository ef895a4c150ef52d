// Criteria. Losses are clipped at -ln(1e-6) as brainstorm's are, but computed without taking the logarithm of a
// rounded probability; the gradient ignores the clip.
#pragma once

#include "squall/core/handler.hpp"

namespace squall {

struct SoftmaxCeSpec {
  Index rows = 0, classes = 0;
};

class SoftmaxCePlan : public Plan {
 public:
  explicit SoftmaxCePlan(const SoftmaxCeSpec& spec) : spec_(spec) {}
  const SoftmaxCeSpec& spec() const { return spec_; }
  // x (rows, classes), targets (rows) of I32 or empty, p (rows, classes), loss (rows) or empty.
  // A target outside 0..classes-1 is a DataError.
  void forward(const ConstTensor& x, const ConstTensor& targets, const Tensor& p, const Tensor& loss);
  // dx (=, +=) (p - onehot(targets)) dloss
  void backward(const ConstTensor& p, const ConstTensor& targets, const ConstTensor& dloss, const Sink& dx);

 protected:
  virtual void do_forward(const ConstTensor&, const ConstTensor&, const Tensor&, const Tensor&) = 0;
  virtual void do_backward(const ConstTensor&, const ConstTensor&, const ConstTensor&, const Sink&) = 0;

 private:
  SoftmaxCeSpec spec_;
};

class LossOps : public Facet {
 public:
  std::unique_ptr<SoftmaxCePlan> plan(const SoftmaxCeSpec& spec);
  std::unique_ptr<SoftmaxCePlan> reference(const SoftmaxCeSpec& spec);
  // y = sigmoid(x); loss = -[t ln y + (1-t) ln(1-y)], one per element; loss and t may be empty.
  void sigmoid_ce(const ConstTensor& x, const ConstTensor& t, const Tensor& y, const Tensor& loss);
  // dx (=, +=) (y - t) dloss
  void sigmoid_ce_back(const ConstTensor& y, const ConstTensor& t, const ConstTensor& dloss, const Sink& dx);

 protected:
  virtual std::unique_ptr<SoftmaxCePlan> do_plan(const SoftmaxCeSpec&) { return nullptr; }
  virtual void do_sigmoid_ce(const ConstTensor&, const ConstTensor&, const Tensor&, const Tensor&) = 0;
  virtual void do_sigmoid_ce_back(const ConstTensor&, const ConstTensor&, const ConstTensor&, const Sink&) = 0;
};

}  // namespace squall
