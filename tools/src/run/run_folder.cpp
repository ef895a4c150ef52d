#include "run/run_folder.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <string>
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

}  // namespace

RunFolder::RunFolder(std::filesystem::path path) : path_(std::move(path)) {
  std::error_code failed;
  std::filesystem::create_directories(path_, failed);
  if (failed) raise<FileError>(path_.string(), ": cannot be made: ", failed.message());
  lock_ = open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (lock_ < 0 || !taken(lock_)) return;
  close(lock_);
  raise<FileError>(path_.string(), ": another run is writing there; wait for its end or give another --out");
}

RunFolder::~RunFolder() {
  if (lock_ >= 0) close(lock_);
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
