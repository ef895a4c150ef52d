// A product with some rows of a weight: the parts of a stacked projection, each with its own inputs and outputs.
// Weights may be packed; then the rows are taken out of the packed weight.
#pragma once

#include "common/dense.hpp"

namespace squall {

class Projection {
 public:
  struct Wanted {
    Param W, bias;
    bool has_bias = true;
    Index in = 0, out = 0;
    Index first = 0, first_bias = 0;  // of the rows of W and of the bias
    Index rows_of_weight = 0;         // all that W has
    Activation activation = Activation::Linear;
    bool fixed = false;  // never trained
  };
  void declare(Declare& d, const Wanted& wanted) {
    wanted_ = wanted;
    plan_ = d.plan<DensePlan>();
  }
  void prepare(Prepare& p, Index rows) const;
  // x (rows, in), y (rows, out), in any shape.
  void forward(Forward& f, const ConstTensor& x, const Tensor& y) const;
  // dy may be destroyed. y only matters where there is an activation.
  void backward(Backward& b, const ConstTensor& x, const ConstTensor& y, const Tensor& dy, const Sink& dx) const;
  // Gradients of what nothing comes back to.
  void no_gradients(Backward& b) const;
  Index out() const { return wanted_.out; }

 private:
  bool partial() const { return wanted_.out != wanted_.rows_of_weight; }
  WeightRef weight(const Pass& pass) const;
  ConstTensor bias(const Pass& pass) const;
  Sink weight_gradient(const Backward& b) const;
  Sink bias_gradient(const Backward& b) const;
  Wanted wanted_;
  PlanSlot<DensePlan> plan_;
};

}  // namespace squall
