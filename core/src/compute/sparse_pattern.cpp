#include "squall/core/sparse_pattern.hpp"

#include "squall/core/error.hpp"

namespace squall {

namespace {

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

}  // namespace

double SparsePattern::density() const {
  const Index all = rows * columns;
  return all == 0 ? 0.0 : static_cast<double>(kept()) / static_cast<double>(all);
}

SparsePattern SparsePattern::of_owner(std::span<const std::uint8_t> bytes, std::uint8_t owner, Index rows,
                                      Index columns) {
  SQUALL_CHECK(rows >= 0 && columns >= 0 && static_cast<Index>(bytes.size()) == rows * columns,
               "sparse pattern: ", bytes.size(), " bytes do not cover ", rows, "x", columns);
  SparsePattern out;
  out.rows = rows;
  out.columns = columns;
  out.row_begin.push_back(0);
  for (Index r = 0; r < rows; ++r) {
    for (Index c = 0; c < columns; ++c)
      if (bytes[at(r * columns + c)] == owner) out.column.push_back(static_cast<std::int32_t>(c));
    out.row_begin.push_back(out.kept());
  }
  return out;
}

SparsePattern SparsePattern::transposed(std::vector<std::int32_t>& from) const {
  SparsePattern out;
  out.rows = columns;
  out.columns = rows;
  out.row_begin.assign(at(columns + 1), 0);
  for (const std::int32_t c : column) ++out.row_begin[at(c) + 1];
  for (Index c = 0; c < columns; ++c) out.row_begin[at(c + 1)] += out.row_begin[at(c)];
  out.column.resize(column.size());
  from.resize(column.size());
  std::vector<Index> next(out.row_begin.begin(), out.row_begin.end() - 1);
  for (Index r = 0; r < rows; ++r)
    for (Index e = row_begin[at(r)]; e < row_begin[at(r + 1)]; ++e) {
      const Index place = next[at(column[at(e)])]++;
      out.column[at(place)] = static_cast<std::int32_t>(r);
      from[at(place)] = static_cast<std::int32_t>(e);
    }
  return out;
}

void SparsePattern::check(const char* what) const {
  const auto fail = [&](const auto&... parts) { raise<DataError>(what, " ", rows, "x", columns, ": ", parts...); };
  if (rows < 0 || columns < 0) fail("extents should not be negative");
  if (static_cast<Index>(row_begin.size()) != rows + 1)
    fail("has ", row_begin.size(), " row starts, should have ", rows + 1);
  if (row_begin.front() != 0) fail("the first row starts at ", row_begin.front(), ", should start at 0");
  for (std::size_t r = 0; r + 1 < row_begin.size(); ++r)
    if (row_begin[r + 1] < row_begin[r]) fail("row ", r, " ends before it starts");
  if (row_begin.back() != kept()) fail("rows hold ", row_begin.back(), " values, ", kept(), " are there");
  for (std::size_t r = 0; r + 1 < row_begin.size(); ++r) {
    for (Index k = row_begin[r]; k < row_begin[r + 1]; ++k) {
      const Index c = column[at(k)];
      if (c < 0 || c >= columns) fail("row ", r, " names column ", c);
      if (k > row_begin[r] && c <= column[at(k - 1)]) fail("columns of row ", r, " do not ascend at column ", c);
    }
  }
}

}  // namespace squall
