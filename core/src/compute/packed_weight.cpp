#include "squall/core/packed_weight.hpp"

#include "squall/core/error.hpp"

namespace squall {

std::string_view name_of(WeightFormat f) {
  switch (f) {
    case WeightFormat::Dense: return "dense";
    case WeightFormat::Compacted: return "compacted";
    case WeightFormat::Sparse: return "sparse";
  }
  return "unknown";
}

double PackedWeight::density() const {
  const Index all = rows * columns;
  return all == 0 ? 0.0 : static_cast<double>(kept()) / static_cast<double>(all);
}

PackedWeight PackedWeight::from_dense(std::span<const float> dense, Index rows, Index columns,
                                      std::span<const std::uint8_t> mask) {
  SQUALL_CHECK(rows >= 0 && columns >= 0 && static_cast<Index>(dense.size()) == rows * columns,
               "packed weight: ", dense.size(), " values do not fill ", rows, "x", columns);
  SQUALL_CHECK(mask.empty() || mask.size() == dense.size(), "packed weight: a mask of ", mask.size(),
               " bytes does not cover ", dense.size(), " values");
  PackedWeight packed;
  packed.rows = rows;
  packed.columns = columns;
  packed.row_begin.push_back(0);
  for (Index r = 0; r < rows; ++r) {
    for (Index c = 0; c < columns; ++c) {
      const auto i = static_cast<std::size_t>(r * columns + c);
      if (mask.empty() ? dense[i] == 0.0F : mask[i] == 0) continue;
      packed.column.push_back(static_cast<std::int32_t>(c));
      packed.value.push_back(dense[i]);
    }
    packed.row_begin.push_back(packed.kept());
  }
  return packed;
}

std::vector<float> PackedWeight::to_dense() const {
  std::vector<float> dense(static_cast<std::size_t>(rows * columns), 0.0F);
  for (Index r = 0; r < rows; ++r) {
    const auto end = static_cast<std::size_t>(row_begin[static_cast<std::size_t>(r + 1)]);
    for (auto k = static_cast<std::size_t>(row_begin[static_cast<std::size_t>(r)]); k < end; ++k)
      dense[static_cast<std::size_t>(r * columns + column[k])] = value[k];
  }
  return dense;
}

void PackedWeight::check() const {
  const auto fail = [&](const auto&... parts) {
    raise<DataError>("packed weight ", rows, "x", columns, ": ", parts...);
  };
  if (rows < 0 || columns < 0) fail("extents should not be negative");
  if (static_cast<Index>(row_begin.size()) != rows + 1)
    fail("has ", row_begin.size(), " row starts, should have ", rows + 1);
  if (row_begin.front() != 0) fail("the first row starts at ", row_begin.front(), ", should start at 0");
  if (column.size() != value.size()) fail("has ", column.size(), " columns for ", value.size(), " values");
  for (std::size_t r = 0; r + 1 < row_begin.size(); ++r)
    if (row_begin[r + 1] < row_begin[r]) fail("row ", r, " ends before it starts");
  if (row_begin.back() != kept()) fail("rows hold ", row_begin.back(), " values, ", kept(), " are there");
  for (std::size_t r = 0; r + 1 < row_begin.size(); ++r) {
    for (Index k = row_begin[r]; k < row_begin[r + 1]; ++k) {
      const Index c = column[static_cast<std::size_t>(k)];
      if (c < 0 || c >= columns) fail("row ", r, " names column ", c);
      if (k > row_begin[r] && c <= column[static_cast<std::size_t>(k - 1)])
        fail("columns of row ", r, " do not ascend at column ", c);
    }
  }
}

}  // namespace squall
