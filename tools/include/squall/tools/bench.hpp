// Benchmarks: rows by name, each measured in interleaved rounds and checked against a reference in the same run.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "squall/core/catalog.hpp"
#include "squall/core/handler.hpp"
#include "squall/core/json.hpp"

namespace squall {

struct BenchRow {
  std::string name;
  int threads = 1;
  double ours_us = 0;  // median
  std::string peer;    // what it is compared with; empty: nothing
  double peer_us = 0;
  double spread = 0;     // (upper quartile - lower quartile) / median
  bool checked = false;  // the result agreed with the reference
  double ratio() const { return peer_us > 0 && ours_us > 0 ? peer_us / ours_us : 0; }
};

struct BenchContext {
  const Catalog& catalog;
  std::shared_ptr<Handler> handler;
  int threads = 1;
  int rounds = 9;
};

struct Benchmark {
  std::string name;
  std::function<BenchRow(const BenchContext&)> run;
};

// All rows of the suite.
std::vector<Benchmark> benchmarks();
json to_json(const std::vector<BenchRow>& rows);  // with machine, versions and date

}  // namespace squall
