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

// A device works on while the host goes ahead: it is waited for before and after.
double one_round(const std::function<void()>& work, Handler& handler) {
  constexpr double kRoundUs = 50000;  // as the peers' slices
  constexpr int kMost = 50000;
  handler.synchronize();
  const auto begin = Clock::now();
  int runs = 0;
  double us = 0;
  do {
    work();
    ++runs;
    us = std::chrono::duration<double, std::micro>(Clock::now() - begin).count();
  } while (us < kRoundUs && runs < kMost);
  handler.synchronize();
  return std::chrono::duration<double, std::micro>(Clock::now() - begin).count() / runs;
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

// The peers of a row on this handler.
std::vector<PeerCase> cases_of(const Benchmark& benchmark, const BenchContext& context) {
  if (!context.peers) return {};
  if (!context.on_device()) return benchmark.peers;
  std::vector<PeerCase> cases;
  for (PeerCase one : benchmark.peers) {
    if (one.on_device.empty()) continue;
    for (const std::string& word : {std::string("--device"), std::string("cuda"), std::string("--precision"),
                                    context.precision, std::string("--config"), one.on_device})
      one.arguments.push_back(word);
    cases.push_back(std::move(one));
  }
  return cases;
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
  const std::vector<PeerCase> cases = cases_of(benchmark, context);
  std::vector<std::unique_ptr<bench::PeerProcess>> peers;
  for (const auto& peer : cases)
    peers.push_back(std::make_unique<bench::PeerProcess>(*context.peers, peer, context.threads));
  std::vector<double> ours;
  Times other{work.other, {}};
  std::vector<std::map<std::string, std::vector<double>>> theirs(peers.size());
  Handler& handler = *context.handler;
  for (int warm = 0; warm < 3; ++warm) work.ours();  // a device records its steps the second time
  if (work.theirs) work.theirs();
  for (int r = 0; r < context.rounds; ++r) {
    ours.push_back(one_round(work.ours, handler));
    if (work.theirs) other.us.push_back(one_round(work.theirs, handler));
    for (std::size_t p = 0; p < peers.size(); ++p)
      for (const auto& [config, us] : peers[p]->round()) theirs[p][config].push_back(us);
  }
  std::vector<Times> lines;
  if (work.theirs || peers.empty()) lines.push_back(other);
  for (std::size_t p = 0; p < peers.size(); ++p) {
    const auto script = cases[p].script.substr(0, cases[p].script.find('.'));
    if (!context.on_device()) {
      lines.push_back(best_of(script, theirs[p]));
      continue;
    }
    for (const auto& [config, us] : theirs[p]) lines.push_back({concat(script, " ", config), us});
  }
  BenchRow row;
  row.name = benchmark.name;
  row.threads = context.threads;
  row.handler = context.handler->name();
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
