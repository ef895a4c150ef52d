// Which of two logged numbers is the better one.
#pragma once

#include <algorithm>
#include <cctype>
#include <cmath>
#include <string>

#include "squall/core/describe.hpp"
#include "squall/core/json.hpp"
#include "squall/training/logs.hpp"

namespace squall {

enum class Criterion : std::uint8_t { Auto, Min, Max };
std::span<const EnumName<Criterion>> enum_names(Criterion);  // "auto", "min", "max"

// Auto: losses and errors are to be small, everything else is to be large.
inline bool smaller_is_better(Criterion criterion, std::string_view log_name) {
  if (criterion != Criterion::Auto) return criterion == Criterion::Min;
  std::string last(log_name.substr(log_name.rfind('.') == std::string_view::npos ? 0 : log_name.rfind('.') + 1));
  for (char& c : last) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return last.find("loss") != std::string::npos || last.find("error") != std::string::npos;
}

// Better by more than `delta`. A number is better than none (NaN).
inline bool is_better(double value, double best, bool smaller, double delta = 0) {
  if (std::isnan(value)) return false;
  if (std::isnan(best)) return true;
  return smaller ? value < best - delta : value > best + delta;
}

// Index of the best entry, the first one of equals; -1 for no entries.
inline Index best_index(const std::vector<double>& log, bool smaller, double delta = 0) {
  Index best = log.empty() ? -1 : 0;
  for (Index i = 1; i < static_cast<Index>(log.size()); ++i)
    if (is_better(log[static_cast<std::size_t>(i)], log[static_cast<std::size_t>(best)], smaller, delta)) best = i;
  return best;
}

}  // namespace squall
