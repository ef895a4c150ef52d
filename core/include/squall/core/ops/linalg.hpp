// Products, reductions, broadcasts and gathers over matrices. Rows first; `v` is a vector as a tensor.
#pragma once

#include "squall/core/ops/elementwise.hpp"

namespace squall {

class LinalgOps : public Facet {
 public:
  // c (=, +=) a b; a and b may be transposed views. Inner size 0 gives zeros.
  void matmul(const ConstMatrix& a, const ConstMatrix& b, const MatrixSink& c);
  // out = m op v, v repeated over the rows (v has ncols) or over the columns (v has nrows).
  void with_row(Binary op, const ConstMatrix& m, const ConstTensor& v, const MatrixSink& out);
  void with_column(Binary op, const ConstMatrix& m, const ConstTensor& v, const MatrixSink& out);
  void sum_rows(const ConstMatrix& m, const Sink& out);          // (ncols): over all rows
  void sum_columns(const ConstMatrix& m, const Sink& out);       // (nrows): over all columns
  void sum_all(const ConstTensor& x, const Sink& out);           // one element
  void max_columns(const ConstMatrix& m, const Tensor& out);     // (nrows)
  void argmax_columns(const ConstMatrix& m, const Tensor& out);  // (nrows) of I32, the first maximum
  void softmax(const ConstMatrix& m, const Matrix& out);         // of each row, stable; out may be m
  // dx = y (dy - sum(y dy)) for each row; dx may be dy
  void softmax_back(const ConstMatrix& y, const ConstMatrix& dy, const MatrixSink& dx);
  void one_hot(const ConstTensor& index, const Matrix& out);                                // rows of 0 and 1
  void pick(const ConstMatrix& m, const ConstTensor& index, const Sink& out);               // out[i] = m[i, index[i]]
  void gather_rows(const ConstMatrix& m, const ConstTensor& index, const MatrixSink& out);  // out[i] = m[index[i]]
  void scatter_add_rows(const ConstMatrix& rows, const ConstTensor& index,
                        const Matrix& out);                        // out[index[i]] += rows[i]
  void copy_block(const ConstMatrix& from, const MatrixSink& to);  // leading dimensions may differ
  // Repeats the axis of x that has one element; otherwise x and out have the same shape.
  void broadcast(const ConstTensor& x, int axis, const Sink& out);

 protected:
  virtual void do_matmul(const ConstMatrix&, const ConstMatrix&, const MatrixSink&) = 0;
  virtual void do_with_row(Binary, const ConstMatrix&, const ConstTensor&, const MatrixSink&) = 0;
  virtual void do_with_column(Binary, const ConstMatrix&, const ConstTensor&, const MatrixSink&) = 0;
  virtual void do_sum_rows(const ConstMatrix&, const Sink&) = 0;
  virtual void do_sum_columns(const ConstMatrix&, const Sink&) = 0;
  virtual void do_sum_all(const ConstTensor&, const Sink&) = 0;
  virtual void do_max_columns(const ConstMatrix&, const Tensor&) = 0;
  virtual void do_argmax_columns(const ConstMatrix&, const Tensor&) = 0;
  virtual void do_softmax(const ConstMatrix&, const Matrix&) = 0;
  virtual void do_softmax_back(const ConstMatrix&, const ConstMatrix&, const MatrixSink&) = 0;
  virtual void do_one_hot(const ConstTensor&, const Matrix&) = 0;
  virtual void do_pick(const ConstMatrix&, const ConstTensor&, const Sink&) = 0;
  virtual void do_gather_rows(const ConstMatrix&, const ConstTensor&, const MatrixSink&) = 0;
  virtual void do_scatter_add_rows(const ConstMatrix&, const ConstTensor&, const Matrix&) = 0;
  virtual void do_copy_block(const ConstMatrix&, const MatrixSink&) = 0;
  virtual void do_broadcast(const ConstMatrix&, Index times, const Sink&) = 0;  // each row so many times
};

}  // namespace squall
