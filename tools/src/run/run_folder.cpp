#include "run/run_folder.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "squall/core/error.hpp"

namespace squall {

namespace {

// A process that was killed may take a moment to let go. File systems without locks are used without.
bool taken(int folder) {
  for (int tries = 0; tries < 100; ++tries) {
    if (flock(folder, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return true;
}

// checkpoint.h5, checkpoint.1.h5, ...
bool is_checkpoint(const std::string& name) {
  if (!name.starts_with("checkpoint.") || !name.ends_with(".h5")) return false;
  const auto between = name.substr(10, name.size() - 13);
  return std::ranges::all_of(between, [](char c) { return c == '.' || (c >= '0' && c <= '9'); });
}

constexpr std::array<std::string_view, 5> kOwn{"model.h5", "best.h5", "report.json", "experiment.json",
                                               "metrics.jsonl"};

}  // namespace

RunFolder::RunFolder(std::filesystem::path path) : path_(std::move(path)) {
  make();
  lock_ = open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (lock_ < 0 || !taken(lock_)) return;
  close(lock_);
  raise<FileError>(path_.string(), ": another run is writing there; wait for its end or give another --out");
}

RunFolder::~RunFolder() {
  std::error_code not_empty;
  for (auto folder = made_.rbegin(); folder != made_.rend(); ++folder) std::filesystem::remove(*folder, not_empty);
  if (lock_ >= 0) close(lock_);
}

void RunFolder::make() {
  std::error_code failed;
  for (auto at = path_; !at.empty() && !std::filesystem::exists(at, failed) && !failed; at = at.parent_path())
    made_.insert(made_.begin(), at);
  if (failed) made_.clear();  // a part of the path that is no folder, or is closed to us
  failed.clear();
  std::filesystem::create_directories(path_, failed);
  std::error_code ignored;
  if (!failed && !std::filesystem::is_directory(path_, ignored))
    failed = std::make_error_code(std::errc::not_a_directory);
  if (failed) raise<FileError>(path_.string(), ": the run folder cannot be made: ", failed.message());
}

std::string RunFolder::owns(const std::filesystem::path& file) const {
  std::error_code failed;
  for (const auto& entry : std::filesystem::directory_iterator(path_, failed)) {
    const std::string name = entry.path().filename().string();
    const bool ours = is_checkpoint(name) || std::ranges::find(kOwn, name) != kOwn.end();
    if (ours && std::filesystem::equivalent(entry.path(), file, failed)) return name;
  }
  return {};
}

void RunFolder::forget(bool all) const {
  std::vector<std::filesystem::path> old{path_ / "report.json", path_ / "model.h5"};
  if (all) {
    old.push_back(path_ / "best.h5");
    for (const auto& entry : std::filesystem::directory_iterator(path_))
      if (is_checkpoint(entry.path().filename().string())) old.push_back(entry.path());
  }
  for (const auto& file : old) {
    std::error_code failed;
    std::filesystem::remove(file, failed);
    if (failed)
      raise<FileError>(file.string(), ": belongs to an earlier run and cannot be removed: ", failed.message());
  }
}

}  // namespace squall
