#include "squall/core/selection.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace squall {

namespace {

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

constexpr EnumName<Quota> kQuotas[] = {
    {"unit", Quota::Unit}, {"tensor", Quota::Tensor}, {"layer", Quota::Layer}, {"global", Quota::Global}};

void check_percent(double percent) {
  if (!(percent >= 0 && percent <= 100)) raise<ConfigError>("a sparsity of ", percent, " % is not between 0 and 100");
}

// Smallest whole number not below x, where x may be off by the rounding of a product and a quotient.
Index ceil_of_rounded(double x) {
  const double nearest = std::nearbyint(x);
  const double slack = 8 * std::numeric_limits<double>::epsilon() * std::max(1.0, std::fabs(x));
  return static_cast<Index>(std::fabs(x - nearest) <= slack ? nearest : std::ceil(x));
}

// Marks the best `wanted` of the eligible entries; gives how many were marked. `order` is scratch.
Index select_row(std::span<const double> scores, std::span<const std::uint8_t> eligible, Index wanted,
                 std::span<std::uint8_t> keep, std::vector<Index>& order) {
  order.clear();
  for (std::size_t i = 0; i < scores.size(); ++i)
    if (eligible.empty() || eligible[i] != 0) order.push_back(static_cast<Index>(i));
  // A strict total order: whatever the algorithm does inside, the set of the first ones is one set only.
  const auto better = [&](Index a, Index b) {
    return scores[at(a)] != scores[at(b)] ? scores[at(a)] > scores[at(b)] : a < b;
  };
  if (wanted < static_cast<Index>(order.size())) {
    std::nth_element(order.begin(), order.begin() + wanted, order.end(), better);
    order.resize(at(wanted));
  }
  for (const Index i : order) keep[at(i)] = 1;
  return static_cast<Index>(order.size());
}

}  // namespace

std::span<const EnumName<Quota>> enum_names(Quota) { return kQuotas; }

Index kept_of(Index n, double sparsity) {
  check_percent(sparsity);
  if (n <= 0) return 0;
  return n - ceil_of_rounded(static_cast<double>(n - 1) * sparsity / 100);
}

Selection select_best(std::span<const double> scores, std::span<const std::uint8_t> eligible, Index rows, Index columns,
                      Index wanted) {
  SQUALL_CHECK(rows >= 0 && columns >= 0 && static_cast<Index>(scores.size()) == rows * columns,
               "select_top: ", scores.size(), " scores are not ", rows, " rows of ", columns);
  SQUALL_CHECK(eligible.empty() || eligible.size() == scores.size(), "select_top: ", eligible.size(),
               " eligible bytes for ", scores.size(), " scores");
  if (!std::ranges::all_of(scores, [](double s) { return std::isfinite(s); }))
    raise<NumericError>("select_top: a score is not finite");
  Selection out;
  out.keep.assign(scores.size(), 0);
  std::vector<Index> order;
  for (Index r = 0; r < rows; ++r) {
    const auto first = at(r * columns);
    const auto part = eligible.empty() ? eligible : eligible.subspan(first, at(columns));
    out.wanted += wanted;
    out.kept += select_row(scores.subspan(first, at(columns)), part, wanted,
                           std::span(out.keep).subspan(first, at(columns)), order);
  }
  return out;
}

Selection select_top(std::span<const double> scores, std::span<const std::uint8_t> eligible, Index rows, Index columns,
                     double sparsity, Quota quota) {
  if (quota != Quota::Unit) {
    columns *= rows;
    rows = rows > 0 ? 1 : 0;
  }
  return select_best(scores, eligible, rows, columns, kept_of(columns, sparsity));
}

double percentile(std::span<const double> values, double percent) {
  check_percent(percent);
  if (values.empty()) raise<ConfigError>("there is no percentile of no numbers");
  std::vector<double> sorted(values.begin(), values.end());
  const double place = static_cast<double>(sorted.size() - 1) * (percent / 100);
  const double below = std::floor(place);
  const auto low_at = sorted.begin() + static_cast<std::ptrdiff_t>(below);
  std::nth_element(sorted.begin(), low_at, sorted.end());
  const double low = *low_at;
  const double high = low_at + 1 == sorted.end() ? low : *std::min_element(low_at + 1, sorted.end());
  const double part = place - below;
  return part < 0.5 ? low + (high - low) * part : high - (high - low) * (1 - part);
}

std::vector<std::uint8_t> keep_by_percentile(std::span<const double> scores, double percent) {
  std::vector<std::uint8_t> keep(scores.size(), 0);
  if (scores.empty()) return keep;
  const double threshold = percentile(scores, percent);
  for (std::size_t i = 0; i < scores.size(); ++i) keep[i] = scores[i] >= threshold ? 1 : 0;
  return keep;
}

}  // namespace squall
