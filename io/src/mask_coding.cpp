#include "squall/io/mask_coding.hpp"

namespace squall {

namespace {

constexpr Index kContinue = 255;

}  // namespace

void append_gaps(const PackedWeight& w, std::vector<std::uint8_t>& gaps) {
  Index previous = -1;
  for (Index r = 0; r < w.rows; ++r)
    for (Index k = w.row_begin[static_cast<std::size_t>(r)]; k < w.row_begin[static_cast<std::size_t>(r) + 1]; ++k) {
      const Index position = r * w.columns + w.column[static_cast<std::size_t>(k)];
      Index gap = position - previous - 1;
      for (; gap >= kContinue; gap -= kContinue) gaps.push_back(static_cast<std::uint8_t>(kContinue));
      gaps.push_back(static_cast<std::uint8_t>(gap));
      previous = position;
    }
}

PackedWeight take_slice(Index rows, Index columns, Index kept, std::span<const std::uint8_t>& gaps,
                        std::span<const float>& values, std::string_view who) {
  const Index total = rows * columns;
  if (kept < 0 || kept > total || static_cast<std::size_t>(kept) > values.size())
    raise<DataError>(who, ": ", kept, " kept weights do not fit ", rows, "x", columns, " with ", values.size(),
                     " values");
  PackedWeight w;
  w.rows = rows;
  w.columns = columns;
  w.row_begin.assign(static_cast<std::size_t>(rows) + 1, 0);
  w.value.assign(values.begin(), values.begin() + kept);
  w.column.reserve(static_cast<std::size_t>(kept));
  Index position = -1;
  std::size_t next = 0;
  for (Index k = 0; k < kept; ++k) {
    ++position;
    for (; next < gaps.size() && gaps[next] == kContinue; ++next) position += kContinue;
    if (next >= gaps.size()) raise<DataError>(who, ": the mask ends after ", k, " of ", kept, " kept weights");
    position += gaps[next++];
    if (position >= total) raise<DataError>(who, ": the mask goes beyond ", rows, "x", columns);
    w.column.push_back(static_cast<std::int32_t>(position % columns));
    ++w.row_begin[static_cast<std::size_t>(position / columns) + 1];
  }
  for (std::size_t r = 1; r < w.row_begin.size(); ++r) w.row_begin[r] += w.row_begin[r - 1];
  gaps = gaps.subspan(next);
  values = values.subspan(static_cast<std::size_t>(kept));
  return w;
}

}  // namespace squall
