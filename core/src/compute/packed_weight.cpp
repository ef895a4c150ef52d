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
  if (column.size() != value.size())
    raise<DataError>("packed weight ", rows, "x", columns, ": has ", column.size(), " columns for ", value.size(),
                     " values");
  SparsePattern::check("packed weight");
}

}  // namespace squall
