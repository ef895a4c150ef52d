// Other frameworks doing the same work in a process of their own, one round for each of ours.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "squall/tools/bench.hpp"

namespace squall::bench {

// A script of tools/peers, kept running; it measures when asked and sleeps else.
class PeerProcess {
 public:
  // Starts it and waits until its cases are prepared (compiling may take minutes). Throws DataError when it cannot.
  PeerProcess(const PeerOptions& options, const PeerCase& what, int threads);
  ~PeerProcess();
  PeerProcess(const PeerProcess&) = delete;
  PeerProcess& operator=(const PeerProcess&) = delete;

  // One round of all cases: microseconds of each "configuration" of the rows that were asked for.
  std::map<std::string, double> round();

 private:
  explicit PeerProcess(const PeerCase& what) : script_(what.script), rows_(what.rows) {}
  std::string read_line();
  [[noreturn]] void fail(const std::string& what);
  std::string script_;
  std::vector<std::string> rows_;
  std::string rest_;  // read, but not yet a line
  int to_ = -1, from_ = -1, process_ = -1;
};

}  // namespace squall::bench
