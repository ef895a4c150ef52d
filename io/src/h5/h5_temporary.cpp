#include "h5/h5_temporary.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <string>
#include <system_error>

#include "squall/core/error.hpp"

namespace squall::h5 {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kSuffix = ".tmp";

// The process that writes TARGET.PID.tmp; 0 if the name is none of these.
pid_t writer_of(const std::string& name, const std::string& target) {
  const std::string prefix = concat(target, ".");
  if (name.size() <= prefix.size() + kSuffix.size() || !name.starts_with(prefix) || !name.ends_with(kSuffix)) return 0;
  const char* begin = name.data() + prefix.size();
  const char* end = name.data() + name.size() - kSuffix.size();
  pid_t process = 0;
  const auto [stop, bad] = std::from_chars(begin, end, process);
  return bad == std::errc{} && stop == end && process > 0 ? process : 0;
}

bool runs_here(pid_t process) { return ::kill(process, 0) == 0 || errno != ESRCH; }

}  // namespace

fs::path temporary_beside(const fs::path& target) {
  fs::path temporary = target;
  temporary += concat(".", ::getpid(), kSuffix);
  return temporary;
}

void remove_abandoned(const fs::path& target) {
  const fs::path folder = target.parent_path().empty() ? fs::path(".") : target.parent_path();
  std::error_code failed;
  for (fs::directory_iterator at(folder, failed), end; !failed && at != end; at.increment(failed)) {
    const pid_t process = writer_of(at->path().filename().string(), target.filename().string());
    if (process == 0 || runs_here(process)) continue;
    const int file = ::open(at->path().c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (file < 0) continue;
    if (::flock(file, LOCK_EX | LOCK_NB) == 0) ::unlink(at->path().c_str());
    ::close(file);
  }
}

bool own_temporary(int descriptor) {
  struct stat status {};
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) return false;
  return ::fstat(descriptor, &status) == 0 && status.st_nlink > 0;
}

}  // namespace squall::h5
