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

constexpr std::string_view kAside = ".before.";
std::filesystem::path aside(const std::filesystem::path& file) {
  return file.parent_path() / (std::string(kAside) + file.filename().string());
}

}  // namespace

RunFolder::RunFolder(std::filesystem::path path) : path_(std::move(path)) {
  make();
  lock_ = open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (lock_ < 0 || !taken(lock_)) {
    recover();
    return;
  }
  close(lock_);
  raise<FileError>(path_.string(), ": another run is writing there; wait for its end or give another --out");
}

RunFolder::~RunFolder() {
  put_back();
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
    std::string name = entry.path().filename().string();
    const bool ours = is_checkpoint(name) || std::ranges::find(kOwn, name) != kOwn.end();
    if (ours && std::filesystem::equivalent(entry.path(), file, failed)) return name;
  }
  return {};
}

void RunFolder::set_aside(bool all) {
  std::vector<std::filesystem::path> old{path_ / "report.json", path_ / "model.h5"};
  if (all) {
    for (const char* name : {"best.h5", "experiment.json", "metrics.jsonl"}) old.push_back(path_ / name);
    for (const auto& entry : std::filesystem::directory_iterator(path_))
      if (is_checkpoint(entry.path().filename().string())) old.push_back(entry.path());
  }
  for (const auto& file : old) {
    std::error_code failed;
    if (!std::filesystem::exists(std::filesystem::symlink_status(file, failed))) continue;
    std::filesystem::rename(file, aside(file), failed);
    if (failed)
      raise<FileError>(file.string(), ": belongs to an earlier run and cannot be removed: ", failed.message());
    aside_.push_back(file);
  }
}

void RunFolder::settle() {
  std::error_code left;  // the next run removes it
  for (const auto& file : aside_) std::filesystem::remove(aside(file), left);
  aside_.clear();
}

void RunFolder::put_back() {
  std::error_code failed;
  for (const auto& file : aside_) std::filesystem::rename(aside(file), file, failed);
  aside_.clear();
}

// What a killed run had set aside comes back, unless the run was a new one and had saved a checkpoint: then it was
// killed while it settled.
void RunFolder::recover() {
  const bool saved =
      std::filesystem::exists(aside(path_ / "experiment.json")) && std::filesystem::exists(path_ / "checkpoint.h5");
  std::error_code failed;
  std::vector<std::filesystem::path> names;
  for (const auto& entry : std::filesystem::directory_iterator(path_, failed))
    if (const std::string name = entry.path().filename().string(); name.starts_with(kAside))
      names.push_back(path_ / name.substr(kAside.size()));
  aside_ = std::move(names);
  if (saved) return settle();
  put_back();
}

}  // namespace squall
