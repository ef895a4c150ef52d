// A packed weight without the rows and columns that are entirely zero.
#pragma once

#include <vector>

#include "squall/core/packed_weight.hpp"

namespace squall::cpu {

template <class R>
struct CompactWeight {
  std::vector<Index> rows, columns;  // kept ones, ascending
  std::vector<Index> dropped_rows;
  std::vector<R> values;  // (rows, columns)

  explicit CompactWeight(const PackedWeight& w) {
    std::vector<Index> place(static_cast<std::size_t>(w.columns), -1);
    for (std::int32_t c : w.column) place[static_cast<std::size_t>(c)] = 0;
    for (Index c = 0; c < w.columns; ++c) {
      if (place[static_cast<std::size_t>(c)] < 0) continue;
      place[static_cast<std::size_t>(c)] = kept_columns();
      columns.push_back(c);
    }
    for (Index r = 0; r < w.rows; ++r) {
      const auto begin = static_cast<std::size_t>(w.row_begin[static_cast<std::size_t>(r)]);
      const auto end = static_cast<std::size_t>(w.row_begin[static_cast<std::size_t>(r) + 1]);
      if (begin == end) {
        dropped_rows.push_back(r);
        continue;
      }
      const std::size_t line = values.size();
      rows.push_back(r);
      values.resize(line + columns.size(), R(0));
      for (std::size_t e = begin; e < end; ++e)
        values[line + static_cast<std::size_t>(place[static_cast<std::size_t>(w.column[e])])] =
            static_cast<R>(w.value[e]);
    }
  }
  Index kept_rows() const { return static_cast<Index>(rows.size()); }
  Index kept_columns() const { return static_cast<Index>(columns.size()); }
};

template <class R>
inline void take(const std::vector<Index>& places, const R* from, R* to) {
  for (std::size_t i = 0; i < places.size(); ++i) to[i] = from[places[i]];
}
template <class R>
inline void put(const std::vector<Index>& places, const R* from, R* to) {
  for (std::size_t i = 0; i < places.size(); ++i) to[places[i]] = from[i];
}

}  // namespace squall::cpu
