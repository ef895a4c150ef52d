#include <cmath>
#include <numeric>

#include "squall/core/random.hpp"
#include "squall/io/prepare.hpp"

namespace squall {

namespace {

Index entries_of(const Split& arrays, int axis) {
  Index entries = -1;
  for (const auto& [name, array] : arrays) {
    const Index n = array.shape().rank() > axis ? array.shape()[axis] : -1;
    if (n < 0 || (entries >= 0 && n != entries))
      raise<DataError>("'", name, "' is ", array.shape(), ", but ",
                       entries >= 0 ? concat(entries, " examples are") : std::string("examples are"),
                       " needed along axis ", axis);
    entries = n;
  }
  if (entries < 0) raise<DataError>("there are no arrays");
  return entries;
}

Split chosen_of(const Split& arrays, int axis, const std::vector<Index>& chosen) {
  Split out;
  for (const auto& [name, array] : arrays) out[name] = take_entries(array, axis, chosen);
  return out;
}

}  // namespace

std::vector<Split> split_arrays(const Split& arrays, int axis, std::span<const double> ratios) {
  double sum = 0;
  for (const double r : ratios) {
    if (!(r > 0) || !std::isfinite(r)) raise<ConfigError>("ratios should be positive, not ", r);
    sum += r;
  }
  if (ratios.empty()) raise<ConfigError>("a split needs ratios, like 9 and 1");
  const Index entries = entries_of(arrays, axis);
  std::vector<Split> out;
  double cumulated = 0;
  Index first = 0;
  for (const double r : ratios) {
    cumulated += r;
    const auto end = static_cast<Index>(std::nearbyint(cumulated / sum * static_cast<double>(entries)));
    std::vector<Index> chosen(static_cast<std::size_t>(end - first));
    std::iota(chosen.begin(), chosen.end(), first);
    out.push_back(chosen_of(arrays, axis, chosen));
    first = end;
  }
  return out;
}

Split shuffle_arrays(const Split& arrays, int axis, std::uint64_t seed) {
  std::vector<Index> order(static_cast<std::size_t>(entries_of(arrays, axis)));
  std::iota(order.begin(), order.end(), Index{0});
  Rng(seed, "shuffle_data").shuffle(order);
  return chosen_of(arrays, axis, order);
}

}  // namespace squall
