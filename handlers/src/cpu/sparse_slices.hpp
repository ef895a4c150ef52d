// A sparse matrix prepared for single examples: rows in slices of kSliceRows whose entries are interleaved, so that one
// vector works on as many rows as it has lanes and gathers their inputs. Groups of slices cover neighbouring rows;
// inside a group rows are sorted by length, which keeps the padding small.
#pragma once

#include <vector>

#include "cpu/context.hpp"
#include "squall/core/packed_weight.hpp"

namespace squall::cpu {

template <class R>
class SparseSlices {
 public:
  static constexpr Index kGroupRows = 256;

  explicit SparseSlices(const PackedWeight& w);
  Index rows() const { return rows_; }
  Index stored() const { return static_cast<Index>(value_.size()); }
  Index groups() const { return ceil_div(rows_, kGroupRows); }
  Span group_rows(Index group) const { return {group * kGroupRows, std::min(kGroupRows, rows_ - group * kGroupRows)}; }
  // y[row] = the sum for the rows of the group.
  void multiply(const Kernels<R>& k, Index group, const R* x, R* y) const;

 private:
  void add_slice(const PackedWeight& w, const std::vector<Index>& rows);

  Index rows_;
  bool wide_;                        // columns do not fit 16 bits
  std::vector<Index> first_slice_;   // of each group, and the end
  std::vector<std::int32_t> begin_;  // of each slice, and the end
  std::vector<std::int32_t> row_;    // kSliceRows for each slice, -1: none
  std::vector<std::uint16_t> column_;
  std::vector<std::int32_t> wide_column_;
  std::vector<R> value_;
};

}  // namespace squall::cpu
