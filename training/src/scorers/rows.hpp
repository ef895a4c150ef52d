// Predictions and targets as rows of equal number, with the weight of each.
#pragma once

#include "squall/training/scorer.hpp"

namespace squall {

class ScoredRows {
 public:
  ScoredRows(std::string_view scorer, const HostArray& predicted, const HostArray& targets, const HostArray& mask)
      : predicted_(predicted),
        targets_(targets),
        mask_(mask),
        columns_(predicted.shape()[-1]),
        target_columns_(targets.shape()[-1]),
        rows_(columns_ > 0 ? predicted.elements() / columns_ : 0) {
    SQUALL_CHECK(predicted.shape().rank() > 0 && targets.shape().rank() > 0 && target_columns_ > 0 &&
                     targets.elements() == rows_ * target_columns_,
                 scorer, ": targets ", targets.shape(), " do not go with predictions ", predicted.shape());
    SQUALL_CHECK(mask.empty() || (mask.elements() > 0 && rows_ % mask.elements() == 0), scorer, ": a mask ",
                 mask.shape(), " does not go with predictions ", predicted.shape());
  }
  Index rows() const { return rows_; }
  Index columns() const { return columns_; }
  Index target_columns() const { return target_columns_; }
  double predicted(Index row, Index column) const { return read(predicted_, row * columns_ + column); }
  double target(Index row, Index column) const { return read(targets_, row * target_columns_ + column); }
  double weight(Index row) const { return mask_.empty() ? 1.0 : mask_.value(row / (rows_ / mask_.elements())); }

 private:
  static double read(const HostArray& a, Index i) {
    if (a.dtype() == DType::F32) return static_cast<const float*>(a.data())[i];
    return a.dtype() == DType::F64 ? static_cast<const double*>(a.data())[i] : a.value(i);
  }
  const HostArray& predicted_;
  const HostArray& targets_;
  const HostArray& mask_;
  Index columns_, target_columns_, rows_;
};

}  // namespace squall
