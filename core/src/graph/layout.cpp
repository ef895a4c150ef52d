#include "squall/core/layout.hpp"
#include "squall/core/json.hpp"

#include <algorithm>
#include <map>
#include <numeric>

namespace squall {

namespace {

std::size_t round_up(std::size_t n, std::size_t to) { return (n + to - 1) / to * to; }

// Lowest offset at which `buffer` does not meet any placed buffer that is alive with it.
std::size_t lowest_gap(const Interval& buffer, std::size_t bytes, const std::vector<Interval>& all,
                       const std::vector<std::size_t>& placed, const std::vector<std::size_t>& sizes) {
  std::vector<std::pair<std::size_t, std::size_t>> busy;
  for (const std::size_t j : placed)
    if (all[j].first <= buffer.last && buffer.first <= all[j].last)
      busy.emplace_back(all[j].offset, all[j].offset + sizes[j]);
  std::ranges::sort(busy);
  std::size_t at = 0;
  for (const auto& [begin, end] : busy) {
    if (at + bytes <= begin) break;
    at = std::max(at, end);
  }
  return at;
}

std::size_t most_alive(const std::vector<Interval>& buffers, const std::vector<std::size_t>& sizes) {
  std::map<int, std::size_t> change;  // step -> bytes that begin minus those that end
  for (std::size_t i = 0; i < buffers.size(); ++i) {
    change[buffers[i].first] += sizes[i];
    change[buffers[i].last + 1] -= sizes[i];
  }
  std::size_t alive = 0;
  std::size_t most = 0;
  for (const auto& [step, delta] : change) most = std::max(most, alive += delta);
  return most;
}

}  // namespace

Layout place(std::vector<Interval> buffers, MemoryMode mode, std::size_t alignment, std::size_t margin) {
  Layout layout;
  std::vector<std::size_t> sizes;
  for (const auto& b : buffers) sizes.push_back(round_up(b.bytes + margin, alignment));
  std::vector<std::size_t> order(buffers.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  if (mode == MemoryMode::Compact)
    std::ranges::stable_sort(order, std::greater{}, [&](std::size_t i) { return sizes[i]; });
  std::vector<std::size_t> placed;
  for (const std::size_t i : order) {
    buffers[i].offset =
        mode == MemoryMode::Compact ? lowest_gap(buffers[i], sizes[i], buffers, placed, sizes) : layout.arena_bytes;
    layout.arena_bytes = std::max(layout.arena_bytes, buffers[i].offset + sizes[i]);
    placed.push_back(i);
  }
  layout.lower_bound_bytes = most_alive(buffers, sizes);
  layout.buffers = std::move(buffers);
  return layout;
}

json Layout::report() const {
  json out;
  out["arena_bytes"] = arena_bytes;
  out["lower_bound_bytes"] = lower_bound_bytes;
  out["buffers"] = json::array();
  for (const auto& b : buffers)
    out["buffers"].push_back(
        {{"path", b.path}, {"bytes", b.bytes}, {"offset", b.offset}, {"first", b.first}, {"last", b.last}});
  return out;
}

}  // namespace squall
