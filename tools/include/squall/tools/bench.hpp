// Benchmarks: rows by name, each measured in interleaved rounds and checked against a reference in the same run.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "squall/core/catalog.hpp"
#include "squall/core/handler.hpp"
#include "squall/core/json.hpp"

namespace squall {

// A measured row. The same row has a line for each peer.
struct BenchRow {
  std::string name;
  int threads = 1;
  double ours_us = 0;  // median, in `unit`
  std::string peer;    // what it is compared with; empty: nothing
  double peer_us = 0;
  double spread = 0;        // (upper quartile - lower quartile) / median
  bool checked = false;     // the result agreed with the reference
  std::string unit = "us";  // or MB, for rows of memory
  std::string handler = "cpu:f32";
  double ratio() const { return peer_us > 0 && ours_us > 0 ? peer_us / ours_us : 0; }
};

// Where other frameworks are: a Python that has them, and the folder of the scripts that drive them.
struct PeerOptions {
  std::string python;
  std::filesystem::path scripts;
};

struct BenchContext {
  const Catalog& catalog;
  std::shared_ptr<Handler> handler;
  int threads = 1;
  int rounds = 9;
  std::optional<PeerOptions> peers = {};
  std::string precision = "exact";  // of the handler's products, and of the peers'
  bool on_device() const { return handler->device().kind != Device::Kind::Cpu; }
};

// What is done in a row, and in which other way we could do it.
struct BenchWork {
  std::function<void()> ours;
  std::string other = {};  // "squall dense"; empty: there is none
  std::function<void()> theirs = {};
  std::function<bool()> check = {};  // after measuring: is the result right?
};

// A script that does the same: the fastest of its configurations counts, over all these rows of the script. On a device
// each of those named here has a line.
struct PeerCase {
  std::string script;
  std::vector<std::string> arguments, rows;
  std::string on_device = {};  // comma list; empty: the script is not for devices
};

struct Benchmark {
  std::string name;
  std::function<BenchWork(const BenchContext&)> make;
  std::vector<PeerCase> peers = {};
  // In place of `make`, for rows that need a process of their own.
  std::function<std::vector<BenchRow>(const BenchContext&)> run = {};
};

// All rows of the suite.
std::vector<Benchmark> benchmarks();
// One line for our own other way (or for nothing, where there is none and no peer), one for each peer.
std::vector<BenchRow> measure(const Benchmark& benchmark, const BenchContext& context);
// A process's life for rows of memory and start-up: does the row's work so often, then says how long after the start
// the first was done, and the largest memory ever used. {"first_step_ms", "peak_rss_mb"}
json one_life(const Benchmark& benchmark, const BenchContext& context, int steps);
json to_json(const std::vector<BenchRow>& rows);          // with machine, versions and date
std::string table_of(const std::vector<BenchRow>& rows);  // Markdown

}  // namespace squall
