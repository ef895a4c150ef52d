#include <ctime>
#include <fstream>

#include "bench/measure.hpp"
#include "squall/handlers/make_handler.hpp"

namespace squall {

namespace {

std::string machine() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);)
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  return "unknown";
}

std::string today() {
  const std::time_t now = std::time(nullptr);
  char text[16];
  std::tm parts{};
  gmtime_r(&now, &parts);
  std::strftime(text, sizeof text, "%Y-%m-%d", &parts);
  return text;
}

}  // namespace

std::vector<Benchmark> benchmarks() {
  std::vector<Benchmark> rows;
  bench::add_mlp_rows(rows);
  bench::add_image_rows(rows);
  bench::add_recurrent_rows(rows);
  bench::add_sparse_rows(rows);
  bench::add_sparse_conv_rows(rows);
  bench::add_sparse_mlp_rows(rows);
  bench::add_process_rows(rows);
  return rows;
}

json to_json(const std::vector<BenchRow>& rows) {
  json out = {{"machine", machine()}, {"versions", handler_report()}, {"date", today()}, {"rows", json::array()}};
  for (const auto& r : rows) {
    json row = {{"name", r.name}, {"threads", r.threads}, {"handler", r.handler}, {"ours_us", r.ours_us}};
    row["peer"] = r.peer.empty() ? json(nullptr) : json(r.peer);
    row["peer_us"] = r.peer.empty() ? json(nullptr) : json(r.peer_us);
    row["ratio"] = r.peer.empty() ? json(nullptr) : json(r.ratio());
    row["spread"] = r.spread;
    row["checked"] = r.checked;
    row["unit"] = r.unit;
    out["rows"].push_back(row);
  }
  return out;
}

}  // namespace squall
