// Where a matrix has entries: by rows, columns ascending. The values are elsewhere, in the same order.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "squall/core/shape.hpp"

namespace squall {

struct SparsePattern {
  Index rows = 0, columns = 0;
  std::vector<Index> row_begin;      // rows + 1; row r has entries row_begin[r] .. row_begin[r + 1]
  std::vector<std::int32_t> column;  // of each entry

  Index kept() const { return static_cast<Index>(column.size()); }
  double density() const;
  // The entries of a (rows, columns) matrix whose byte is `owner`.
  static SparsePattern of_owner(std::span<const std::uint8_t> bytes, std::uint8_t owner, Index rows, Index columns);
  // Columns as rows; `from[i]` is the number in this pattern of the result's entry i.
  SparsePattern transposed(std::vector<std::int32_t>& from) const;
  // Throws DataError saying what is inconsistent; `what` begins the message.
  void check(const char* what = "sparse pattern") const;
};

}  // namespace squall
