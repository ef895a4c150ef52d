// The logarithm of softmax over the last axis, without taking it of numbers that have become 0.
#pragma once

#include "squall/core/contexts.hpp"
#include "squall/core/ops/linalg.hpp"

namespace squall {

class LogSoftmaxRows {
 public:
  void declare(Declare& d, In x) {
    row_ = d.internal("row", d.like(x, d.features(x).with_last(1)));
    exponentials_ = d.internal("exponentials", d.like(x));
  }
  void forward(const Forward& f, const ConstTensor& x, const Tensor& y) const {
    LinalgOps& rows = f.handler().linalg();
    const Tensor row = vector(f), e = f[exponentials_];
    rows.max_columns(x, row);
    rows.with_column(Binary::Subtract, x, row, y);
    f.handler().elementwise().unary(Unary::Exp, y, Sink(e));
    rows.sum_columns(e, Sink(row));
    f.handler().elementwise().unary(Unary::Log, row, Sink(row));
    rows.with_column(Binary::Subtract, y, row, y);
  }
  // dx (=, +=) dy - softmax(x) sum(dy)
  void backward(const Backward& b, const ConstTensor& y, const ConstTensor& dy, const Sink& dx) const {
    if (!dx) return;
    const Tensor row = vector(b), e = b[exponentials_];
    ElementwiseOps& each = b.handler().elementwise();
    b.handler().linalg().sum_columns(dy, Sink(row));
    each.unary(Unary::Exp, y, Sink(e));
    b.handler().linalg().with_column(Binary::Multiply, e, row, e);
    each.unary(Unary::Copy, dy, dx);
    each.affine(e, -1.0, 0.0, Sink(dx.to, Write::Add));
  }

 private:
  Tensor vector(const Pass& pass) const { return pass[row_].reshaped(Shape{pass[row_].elements()}); }
  Internal row_, exponentials_;
};

}  // namespace squall
