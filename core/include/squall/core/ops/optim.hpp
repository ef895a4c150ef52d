// Updates of flat ranges of parameters in one pass. Where a write mask is given (U8, one byte per weight), weights
// whose byte is 0 keep their value and their state, bit for bit.
#pragma once

#include <variant>

#include "squall/core/formulas/update.hpp"
#include "squall/core/handler.hpp"

namespace squall {

// A contiguous piece of the flat parameter vector with what belongs to it; all of equal length.
struct UpdateRange {
  Tensor value;
  ConstTensor gradient;
  Tensor state0, state1, state2;  // as many as the rule has
  ConstTensor write;              // U8 or empty: all may be written
};

// One of the rules of formulas/update.hpp that are objects.
using UpdateFormula = formulas::AllUpdates<std::variant>;

class OptimOps : public Facet {
 public:
  void sgd(const UpdateRange& p, double rate);
  void momentum(const UpdateRange& p, double rate, double mu);
  void nesterov_ahead(const UpdateRange& p, double mu);
  void nesterov_correct(const UpdateRange& p, double rate);
  void update(const UpdateRange& p, const UpdateFormula& formula);
  // Each row of a matrix is scaled so that its Euclidean norm is at most `limit`.
  void constrain_rows(const Matrix& w, double limit);
  // g += factor sign(w)  /  g += factor w
  void l1_decay(const ConstTensor& w, double factor, const Tensor& g);
  void l2_decay(const ConstTensor& w, double factor, const Tensor& g);
  // Sum of |x|^power; for an infinite power the largest |x|, 0 of nothing. Waits for the result.
  double power_sum(const ConstTensor& x, double power);

 protected:
  virtual void do_sgd(const UpdateRange&, double) = 0;
  virtual void do_momentum(const UpdateRange&, double, double) = 0;
  virtual void do_nesterov_ahead(const UpdateRange&, double) = 0;
  virtual void do_nesterov_correct(const UpdateRange&, double) = 0;
  virtual void do_update(const UpdateRange&, const UpdateFormula&) = 0;
  virtual void do_constrain_rows(const Matrix&, double) = 0;
  virtual void do_l1_decay(const ConstTensor&, double, const Tensor&) = 0;
  virtual void do_l2_decay(const ConstTensor&, double, const Tensor&) = 0;
  virtual double do_power_sum(const ConstTensor&, double) = 0;
};

}  // namespace squall
