#include "run/metrics_file.hpp"

#include <cmath>
#include <fstream>

#include "squall/io/atomic_file.hpp"

namespace squall {

MetricsFile::MetricsFile(std::filesystem::path path, Index lines) : path_(std::move(path)) {
  std::string kept;
  std::ifstream old(path_);
  for (std::string line; lines_ < lines && std::getline(old, line); ++lines_) kept += line + "\n";
  write_file_atomically(path_, kept);
}

void MetricsFile::add(std::size_t phase, const Progress& progress,
                      const std::vector<std::pair<std::string, double>>& values, double seconds) {
  json line = {{"phase", phase}, {"epoch", progress.epoch}, {"update", progress.update}, {"seconds", seconds}};
  for (const auto& [path, value] : values) line[path] = std::isfinite(value) ? json(value) : json(nullptr);
  std::ofstream file(path_, std::ios::app);
  file << line.dump() << "\n";
  file.flush();
  if (!file) raise<FileError>(path_.string(), ": could not be written (is the disk full?)");
  ++lines_;
}

}  // namespace squall
