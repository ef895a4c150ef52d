// Fully connected products: y = f(x W^T + b), rows of examples.
#pragma once

#include "squall/core/activation.hpp"
#include "squall/core/handler.hpp"
#include "squall/core/packed_weight.hpp"

namespace squall {

struct DenseSpec {
  Index rows = 0, in = 0, out = 0;
  Activation activation = Activation::Linear;
  bool bias = true;
  const PackedWeight* packed = nullptr;  // inference from a packed weight; no backward
  bool constant = false;  // the weight seldom changes: the plan may keep a form of it (WeightRef::version)
  // Only these entries of the weight exist: W and dW are vectors of them. It must outlive the plan.
  const SparsePattern* pattern = nullptr;
};

class DensePlan : public Plan {
 public:
  explicit DensePlan(const DenseSpec& spec) : spec_(spec) {}
  const DenseSpec& spec() const { return spec_; }
  // x (rows, in), W (out, in), b (out) or empty, y (rows, out).
  void forward(const ConstTensor& x, const WeightRef& w, const ConstTensor& b, const Tensor& y);
  // dy may be destroyed. Empty sinks are not computed.
  void backward(const ConstTensor& x, const WeightRef& w, const ConstTensor& y, const Tensor& dy, const Sink& dx,
                const Sink& dw, const Sink& db);

 protected:
  virtual void do_forward(const ConstTensor&, const WeightRef&, const ConstTensor&, const Tensor&) = 0;
  virtual void do_backward(const ConstTensor&, const WeightRef&, const ConstTensor&, const Tensor&, const Sink&,
                           const Sink&, const Sink&) = 0;

 private:
  DenseSpec spec_;
};

class DenseOps : public Facet {
 public:
  std::unique_ptr<DensePlan> plan(const DenseSpec& spec);       // the best this handler has
  std::unique_ptr<DensePlan> reference(const DenseSpec& spec);  // elementary operations only: the oracle

 protected:
  virtual std::unique_ptr<DensePlan> do_plan(const DenseSpec&) { return nullptr; }  // "no fast path for this"
};

}  // namespace squall
