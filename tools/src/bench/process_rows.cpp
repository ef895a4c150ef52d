// Rows of whole processes: how soon the first training step is done, and how much memory training takes.
#include <unistd.h>
#include <algorithm>

#include <array>
#include <cstdio>

#include "bench/measure.hpp"

namespace squall::bench {

namespace {

// The last line that looks like an object; throws DataError when the command fails.
json answer_of(const std::string& command) {
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) raise<DataError>("cannot run ", command);
  std::string text;
  std::array<char, 4096> some{};
  while (fgets(some.data(), static_cast<int>(some.size()), pipe) != nullptr) text += some.data();
  const int verdict = pclose(pipe);
  // The last line that begins with a brace.
  auto begin = text.rfind("\n{");
  begin = begin == std::string::npos ? text.find('{') : begin + 1;
  json answer = begin == std::string::npos ? json() : json::parse(text.substr(begin), nullptr, false);
  if (verdict != 0 || !answer.is_object()) raise<DataError>("no answer from: ", command);
  return answer;
}
std::string quoted(const std::string& word) { return "'" + word + "'"; }

double median_of(const std::string& command, const std::string& key, int rounds, double scale) {
  std::vector<double> values;
  for (int r = 0; r < rounds; ++r) values.push_back(answer_of(command).at(key).get<double>() * scale);
  std::ranges::sort(values);
  return values[values.size() / 2];
}

struct Life {
  std::string name, row;  // this row, and the one whose work is done
  std::string key, unit;
  double scale;
  int steps;
  std::string script, options;
};

Benchmark row(const Life& life) {
  Benchmark b;
  b.name = life.name;
  b.run = [life](const BenchContext& c) {
    constexpr int kRounds = 5;
    const std::string threads = concat(" --threads ", c.threads, " --steps ", life.steps);
    BenchRow r;
    r.name = life.name;
    r.threads = c.threads;
    r.unit = life.unit;
    r.ours_us =
        median_of(concat("/proc/", getpid(), "/exe ", life.row, threads, " --json -"), life.key, kRounds, life.scale);
    r.checked = r.ours_us > 0;
    if (!c.peers) return std::vector<BenchRow>{r};
    const std::string command = concat(quoted(c.peers->python), " ", quoted((c.peers->scripts / life.script).string()),
                                       " ", life.options, threads, " --json");
    r.peer = concat(life.script.substr(0, life.script.find('.')), " fused");
    r.peer_us = median_of(command, life.key, 3, life.scale);
    return std::vector<BenchRow>{r};
  };
  return b;
}

}  // namespace

void add_process_rows(std::vector<Benchmark>& rows) {
  const std::string mlp = "--net mlp --batch 128 --config fused";
  rows.push_back(row({"first_step", "mlp_train_b128", "first_step_ms", "us", 1000, 1, "mlp_train.py", mlp}));
  rows.push_back(row({"first_step_tiny", "mlp_tiny_train_b1", "first_step_ms", "us", 1000, 1, "mlp_train.py",
                      "--net tiny --batch 1 --config fused"}));
  rows.push_back(row({"rss_mlp", "mlp_train_b128", "peak_rss_mb", "MB", 1, 20, "mlp_train.py", mlp}));
  rows.push_back(row({"rss_cifar", "cifar10_cnn_train_b100", "peak_rss_mb", "MB", 1, 20, "cnn_train.py",
                      "--net cifar10_cnn --config fused"}));
}

}  // namespace squall::bench
