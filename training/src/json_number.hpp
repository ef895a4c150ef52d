// Numbers in JSON exactly, also those that JSON has no notation for.
#pragma once

#include <cmath>
#include <limits>

#include "squall/core/describe.hpp"
#include "squall/core/json.hpp"

namespace squall {

inline json number_to_json(double v) {
  if (std::isfinite(v)) return v;  // written with as many digits as it takes to read the same bits
  return std::isnan(v) ? "nan" : v > 0 ? "inf" : "-inf";
}

inline double number_from_json(const json& j) {
  if (j.is_number()) return j.get<double>();
  if (j == "inf") return std::numeric_limits<double>::infinity();
  if (j == "-inf") return -std::numeric_limits<double>::infinity();
  if (j == "nan" || j.is_null()) return std::numeric_limits<double>::quiet_NaN();
  raise<DataError>("should be a number, not ", j.dump());
}

}  // namespace squall
