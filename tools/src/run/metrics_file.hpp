// metrics.jsonl: one line of JSON per epoch.
#pragma once

#include <filesystem>

#include "squall/training/trainer.hpp"

namespace squall {

class MetricsFile {
 public:
  // Keeps the first `lines` lines of an existing file.
  MetricsFile(std::filesystem::path path, Index lines);
  void add(std::size_t phase, const Progress& progress, const std::vector<std::pair<std::string, double>>& values,
           double seconds);
  Index lines() const { return lines_; }

 private:
  std::filesystem::path path_;
  Index lines_ = 0;
};

}  // namespace squall
