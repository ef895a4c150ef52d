#include "bench/measure.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <fstream>

#include "bench/peers.hpp"

namespace squall {

namespace {

using Clock = std::chrono::steady_clock;

double one_round(const std::function<void()>& work) {
  constexpr double kRoundUs = 20000;
  constexpr int kMost = 2000;
  const auto begin = Clock::now();
  int runs = 0;
  double us = 0;
  do {
    work();
    ++runs;
    us = std::chrono::duration<double, std::micro>(Clock::now() - begin).count();
  } while (us < kRoundUs && runs < kMost);
  return us / runs;
}

double at_share(std::vector<double> values, double share) {
  std::ranges::sort(values);
  return values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1))];
}

// Times of one way to do the work, round by round.
struct Times {
  std::string name;
  std::vector<double> us;
};

// The configuration with the least median.
Times best_of(const std::string& script, const std::map<std::string, std::vector<double>>& configs) {
  Times best;
  for (const auto& [config, us] : configs)
    if (best.us.empty() || at_share(us, 0.5) < at_share(best.us, 0.5)) best = {concat(script, " ", config), us};
  return best;
}

// Seconds since this process was started.
double process_age() {
  std::ifstream stat("/proc/self/stat"), uptime("/proc/uptime");
  std::string text;
  std::getline(stat, text);
  text = text.substr(text.rfind(')') + 2);
  constexpr int kStartField = 20;  // counted from the state, which follows the name
  std::size_t at = 0;
  for (int i = 1; i < kStartField; ++i) at = text.find(' ', at) + 1;
  double up = 0;
  uptime >> up;
  return up - std::stod(text.substr(at)) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

}  // namespace

std::vector<BenchRow> measure(const Benchmark& benchmark, const BenchContext& context) {
  if (benchmark.run) return benchmark.run(context);
  const BenchWork work = benchmark.make(context);
  std::vector<std::unique_ptr<bench::PeerProcess>> peers;
  if (context.peers)
    for (const auto& peer : benchmark.peers)
      peers.push_back(std::make_unique<bench::PeerProcess>(*context.peers, peer, context.threads));
  std::vector<double> ours;
  Times other{work.other, {}};
  std::vector<std::map<std::string, std::vector<double>>> theirs(peers.size());
  work.ours();
  if (work.theirs) work.theirs();
  for (int r = 0; r < context.rounds; ++r) {
    ours.push_back(one_round(work.ours));
    if (work.theirs) other.us.push_back(one_round(work.theirs));
    for (std::size_t p = 0; p < peers.size(); ++p)
      for (const auto& [config, us] : peers[p]->round()) theirs[p][config].push_back(us);
  }
  std::vector<Times> lines;
  if (work.theirs || peers.empty()) lines.push_back(other);
  for (std::size_t p = 0; p < peers.size(); ++p) {
    const auto script = benchmark.peers[p].script;
    lines.push_back(best_of(script.substr(0, script.find('.')), theirs[p]));
  }
  BenchRow row;
  row.name = benchmark.name;
  row.threads = context.threads;
  row.ours_us = at_share(ours, 0.5);
  row.spread = (at_share(ours, 0.75) - at_share(ours, 0.25)) / row.ours_us;
  row.checked = work.check && work.check();
  std::vector<BenchRow> rows;
  for (const Times& line : lines) {
    row.peer = line.name;
    row.peer_us = line.us.empty() ? 0 : at_share(line.us, 0.5);
    rows.push_back(row);
  }
  return rows;
}

json one_life(const Benchmark& benchmark, const BenchContext& context, int steps) {
  if (!benchmark.make) raise<ConfigError>("row ", benchmark.name, " starts processes of its own");
  const BenchWork work = benchmark.make(context);
  work.ours();
  const double first = process_age();
  for (int i = 1; i < steps; ++i) work.ours();
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  return {{"first_step_ms", first * 1e3}, {"peak_rss_mb", static_cast<double>(used.ru_maxrss) / 1024}};
}

}  // namespace squall
