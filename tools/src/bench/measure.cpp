#include "bench/measure.hpp"

#include <algorithm>
#include <chrono>

namespace squall::bench {

namespace {

using Clock = std::chrono::steady_clock;

double one_round(const std::function<void()>& work) {
  const auto begin = Clock::now();
  int runs = 0;
  double us = 0;
  do {
    work();
    ++runs;
    us = std::chrono::duration<double, std::micro>(Clock::now() - begin).count();
  } while (us < 20000 && runs < 2000);
  return us / runs;
}

double at_share(std::vector<double> sorted, double share) {
  return sorted[static_cast<std::size_t>(share * static_cast<double>(sorted.size() - 1))];
}

}  // namespace

void measure(const BenchContext& context, const std::function<void()>& ours, const std::function<void()>& peer,
             BenchRow& row) {
  std::vector<double> a;
  std::vector<double> b;
  ours();
  if (peer) peer();
  for (int r = 0; r < context.rounds; ++r) {
    a.push_back(one_round(ours));
    if (peer) b.push_back(one_round(peer));
  }
  std::ranges::sort(a);
  std::ranges::sort(b);
  row.ours_us = at_share(a, 0.5);
  row.spread = (at_share(a, 0.75) - at_share(a, 0.25)) / row.ours_us;
  if (peer) row.peer_us = at_share(b, 0.5);
}

}  // namespace squall::bench
