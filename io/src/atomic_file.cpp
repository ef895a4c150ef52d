#include "squall/io/atomic_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

#include "atomic_target.hpp"
#include "squall/core/error.hpp"

namespace squall {

namespace fs = std::filesystem;

int FileCalls::open(const char* path, int flags, mode_t mode) const { return ::open(path, flags, mode); }
ssize_t FileCalls::write(int file, const void* bytes, std::size_t count) const { return ::write(file, bytes, count); }
int FileCalls::fsync(int file) const { return ::fsync(file); }
int FileCalls::close(int file) const { return ::close(file); }
int FileCalls::rename(const char* from, const char* to) const { return ::rename(from, to); }
int FileCalls::unlink(const char* path) const { return ::unlink(path); }

namespace {

std::string reason(int error_number) { return std::generic_category().message(error_number); }

fs::path folder_of(const fs::path& path) {
  const fs::path folder = path.parent_path();
  return folder.empty() ? fs::path(".") : folder;
}

// Repeats a call that a signal interrupted.
template <class Call>
int insist(const Call& call) {
  for (;;)
    if (const int result = call(); result >= 0 || errno != EINTR) return result;
}

// An open file, closed in any case.
class OpenFile {
 public:
  explicit OpenFile(const FileCalls& calls, int descriptor = -1) : calls_(calls), descriptor_(descriptor) {}
  ~OpenFile() { reset(); }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  explicit operator bool() const { return descriptor_ >= 0; }
  int get() const { return descriptor_; }
  void reset(int descriptor = -1) {
    if (descriptor_ >= 0) close();
    descriptor_ = descriptor;
  }
  int close() { return calls_.close(std::exchange(descriptor_, -1)); }

 private:
  const FileCalls& calls_;
  int descriptor_;
};

// Writes everything, in as many pieces as the system wants; the errno of a failure.
int write_all(const FileCalls& calls, int file, ByteView content) {
  while (!content.empty()) {
    const ssize_t written = calls.write(file, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    if (written == 0) return ENOSPC;
    content = content.subspan(static_cast<std::size_t>(written));
  }
  return 0;
}

std::string temporary_prefix(const fs::path& target) { return concat(".", target.filename().string(), "."); }
constexpr std::string_view kTemporarySuffix = ".tmp";

// A temporary is locked by whoever writes it; one that can be locked was left by a process that died.
void remove_abandoned_temporaries(const FileCalls& calls, const fs::path& target) {
  const std::string prefix = temporary_prefix(target);
  std::error_code failed;
  for (fs::directory_iterator at(folder_of(target), failed), end; !failed && at != end; at.increment(failed)) {
    const std::string name = at->path().filename().string();
    if (name.size() <= prefix.size() + kTemporarySuffix.size() || !name.starts_with(prefix) ||
        !name.ends_with(kTemporarySuffix))
      continue;
    const OpenFile file(calls, calls.open(at->path().c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW, 0));
    if (file && ::flock(file.get(), LOCK_EX | LOCK_NB) == 0) calls.unlink(at->path().c_str());
  }
}

// The temporary of one write; removed unless it became the file.
class Temporary {
 public:
  Temporary(const FileCalls& calls, const fs::path& target) : calls_(calls), file_(calls), target_(target) {}
  ~Temporary() {
    if (exists_) calls_.unlink(path_.c_str());
  }
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;

  void fill(ByteView content, mode_t mode) {
    open();
    if (mode != 0) static_cast<void>(::fchmod(file_.get(), mode));
    if (const int error = write_all(calls_, file_.get(), content)) failed("writing", error);
    if (insist([&] { return calls_.fsync(file_.get()); }) != 0) failed("fsync", errno);
  }
  void become_target() {
    if (insist([&] { return calls_.rename(path_.c_str(), target_.c_str()); }) != 0) failed("rename", errno);
    exists_ = false;
  }

 private:
  [[noreturn]] void failed(std::string_view step, int error_number) const {
    write_failed(target_, step, error_number, true);
  }
  void open() {
    for (int attempt = 0; attempt < 1000; ++attempt) {
      path_ = folder_of(target_) / concat(temporary_prefix(target_), ::getpid(), "-", attempt, kTemporarySuffix);
      file_.reset(insist([&] { return calls_.open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666); }));
      if (!file_ && errno == EEXIST) continue;
      if (!file_) failed("making a temporary beside it", errno);
      if (own()) return;
    }
    failed("making a temporary beside it", EEXIST);
  }
  // Locks the new file; false when somebody took it for an abandoned one in between.
  bool own() {
    struct stat status {};
    const bool taken = ::flock(file_.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    exists_ = !taken && ::fstat(file_.get(), &status) == 0 && status.st_nlink > 0;
    return exists_;
  }

  const FileCalls& calls_;
  OpenFile file_;
  fs::path target_, path_;
  bool exists_ = false;
};

void write_directly(const FileCalls& calls, const fs::path& path, ByteView content) {
  OpenFile file(calls, insist([&] { return calls.open(path.c_str(), O_WRONLY | O_CLOEXEC, 0); }));
  if (!file) write_failed(path, "open", errno, false);
  if (const int error = write_all(calls, file.get(), content)) write_failed(path, "writing", error, false);
  if (file.close() != 0) write_failed(path, "close", errno, false);
}

void sync_folder(const FileCalls& calls, const fs::path& path) {
  const OpenFile folder(
      calls, insist([&] { return calls.open(folder_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0); }));
  if (!folder) {
    if (errno != EACCES) write_failed(path, "opening its folder", errno, false);
    return;  // a folder that may be written but not listed
  }
  if (insist([&] { return calls.fsync(folder.get()); }) != 0 && errno != EINVAL && errno != ENOTSUP)
    write_failed(path, "fsync of its folder", errno, false);
}

fs::path without_links(const fs::path& path) {
  std::error_code failed;
  if (!fs::is_symlink(path, failed)) return path;
  fs::path real = fs::weakly_canonical(path, failed);
  if (failed) write_failed(path, "following the link", failed.value(), false);
  return real;
}

}  // namespace

std::string remedy_for(int error_number, const fs::path& path) {
  const fs::path folder = folder_of(path);
  std::error_code ignored;
  switch (error_number) {
    case ENOSPC:
    case EDQUOT: return "free some space there or choose another folder";
    case EFBIG: return "the file would be larger than allowed (see 'ulimit -f'); raise the limit";
    case EROFS: return "choose a folder that is not read-only";
    case EACCES:
    case EPERM: return concat("check the permissions of '", path.string(), "' and '", folder.string(), "'");
    case EIO: return "the disk reports an error; check it, or choose another one";
    case ENOENT:
    case ENOTDIR:
      if (fs::is_directory(folder, ignored)) return "";
      if (fs::exists(folder, ignored)) return concat("'", folder.string(), "' is not a folder");
      return concat("there is no folder '", folder.string(), "'; make it first");
    case EISDIR: return "it is a folder; name a file";
    case ENAMETOOLONG: return "choose a shorter name";
    case EMFILE:
    case ENFILE: return "too many files are open (see 'ulimit -n')";
    default: return "";
  }
}

void write_failed(const fs::path& path, std::string_view step, int error_number, bool previous_intact) {
  const std::string remedy = remedy_for(error_number, path);
  std::error_code ignored;
  const bool had_one = previous_intact && fs::exists(path, ignored);
  raise<FileError>("cannot write '", path.string(), "': ", step, ": ", reason(error_number), remedy.empty() ? "" : "; ",
                   remedy, had_one ? "; the previous file is unchanged" : "");
}

WriteTarget write_target(const fs::path& path) {
  WriteTarget target;
  target.path = without_links(path);
  if (target.path.filename().empty()) write_failed(path, "open", EISDIR, false);
  struct stat previous {};
  target.replaces = ::stat(target.path.c_str(), &previous) == 0;
  if (!target.replaces) return target;
  if (S_ISDIR(previous.st_mode)) write_failed(path, "open", EISDIR, false);
  target.plain = S_ISREG(previous.st_mode);
  target.mode = previous.st_mode & 07777U;
  if (target.plain && ::access(target.path.c_str(), W_OK) != 0) write_failed(path, "open", errno, true);
  return target;
}

void write_file_atomically(const fs::path& path, ByteView content, const FileCalls& calls) {
  const WriteTarget target = write_target(path);
  if (!target.plain) return write_directly(calls, target.path, content);
  remove_abandoned_temporaries(calls, target.path);
  Temporary temporary(calls, target.path);
  temporary.fill(content, target.mode);
  temporary.become_target();
  sync_folder(calls, target.path);
}

void write_file_atomically(const fs::path& path, std::string_view text, const FileCalls& calls) {
  write_file_atomically(path, bytes_of(text), calls);
}

}  // namespace squall
