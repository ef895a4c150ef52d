#include "cpu/sparse_slices.hpp"

#include <limits>
#include <numeric>

namespace squall::cpu {

template <class R>
SparseSlices<R>::SparseSlices(const PackedWeight& w) : rows_(w.rows), wide_(w.columns > 65536) {
  const auto length = [&w](Index r) {
    return w.row_begin[static_cast<std::size_t>(r) + 1] - w.row_begin[static_cast<std::size_t>(r)];
  };
  begin_.push_back(0);
  for (Index group = 0; group < groups(); ++group) {
    first_slice_.push_back(static_cast<Index>(begin_.size()) - 1);
    const Span part = group_rows(group);
    std::vector<Index> order(static_cast<std::size_t>(part.count));
    std::iota(order.begin(), order.end(), part.first);
    std::stable_sort(order.begin(), order.end(), [&](Index a, Index b) { return length(a) < length(b); });
    for (std::size_t i = 0; i < order.size(); i += kSliceRows) {
      const auto end = std::min(order.size(), i + kSliceRows);
      add_slice(w, {order.begin() + static_cast<std::ptrdiff_t>(i), order.begin() + static_cast<std::ptrdiff_t>(end)});
    }
  }
  first_slice_.push_back(static_cast<Index>(begin_.size()) - 1);
}

template <class R>
void SparseSlices<R>::add_slice(const PackedWeight& w, const std::vector<Index>& rows) {
  const auto first = [&w](Index r) { return w.row_begin[static_cast<std::size_t>(r)]; };
  Index longest = 0;
  for (Index r : rows) longest = std::max(longest, first(r + 1) - first(r));
  for (Index e = 0; e < longest; ++e)
    for (std::size_t lane = 0; lane < kSliceRows; ++lane) {
      const bool there = lane < rows.size() && first(rows[lane]) + e < first(rows[lane] + 1);
      const auto entry = static_cast<std::size_t>(there ? first(rows[lane]) + e : 0);
      const std::int32_t column = there ? w.column[entry] : 0;
      if (wide_)
        wide_column_.push_back(column);
      else
        column_.push_back(static_cast<std::uint16_t>(column));
      value_.push_back(there ? static_cast<R>(w.value[entry]) : R(0));
    }
  for (std::size_t lane = 0; lane < kSliceRows; ++lane)
    row_.push_back(lane < rows.size() ? static_cast<std::int32_t>(rows[lane]) : -1);
  if (value_.size() > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max()))
    raise<ShapeError>("a sparse weight of ", w.rows, "x", w.columns, " has more entries than a plan can hold");
  begin_.push_back(static_cast<std::int32_t>(value_.size()));
}

template <class R>
void SparseSlices<R>::multiply(const Kernels<R>& k, Index group, const R* x, R* y) const {
  const auto first = static_cast<std::size_t>(first_slice_[static_cast<std::size_t>(group)]);
  const auto count = static_cast<std::size_t>(first_slice_[static_cast<std::size_t>(group) + 1]) - first;
  R sums[kGroupRows + kSliceRows];
  if (wide_)
    k.sparse_slices_wide(static_cast<Count>(count), begin_.data() + first, wide_column_.data(), value_.data(), x, sums);
  else
    k.sparse_slices(static_cast<Count>(count), begin_.data() + first, column_.data(), value_.data(), x, sums);
  const std::int32_t* row = row_.data() + first * kSliceRows;
  for (std::size_t i = 0; i < count * kSliceRows; ++i)
    if (row[i] >= 0) y[row[i]] = sums[i];
}

template class SparseSlices<float>;
template class SparseSlices<double>;

}  // namespace squall::cpu
