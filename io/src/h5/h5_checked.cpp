#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <system_error>

#include "squall/core/error.hpp"
#include "squall/io/h5_file.hpp"

namespace squall {

namespace {

// Reads a dataset in parts of moderate size.
void read_dataset(const H5Reader& file, const std::string& path) {
  constexpr Index kElementsAtOnce = Index{1} << 24;
  const H5Reader::Info info = file.info(path);
  if (info.is_text) {
    static_cast<void>(file.texts(path));
    return;
  }
  const auto extents = info.shape.extents();
  if (info.shape.rank() == 0 || info.shape.elements() <= kElementsAtOnce) {
    static_cast<void>(file.read(path));
    return;
  }
  const auto longest = std::ranges::max_element(extents);
  const Index step = std::max<Index>(1, kElementsAtOnce / (info.shape.elements() / *longest));
  for (Index first = 0; first < *longest; first += step)
    static_cast<void>(
        file.read_part(path, static_cast<int>(longest - extents.begin()), first, std::min(step, *longest - first)));
}

// An object that is refused with an error is fine here: whoever needs it gets the same error.
template <class Act>
void attempt(const Act& act) {
  try {
    act();
  } catch (const std::exception&) {
  }
}

void read_everything(const H5Reader& file, const std::string& path, int depth) {
  constexpr int kMaxDepth = 64;  // groups may contain themselves
  const std::string shown = path.empty() ? "/" : path;
  for (const std::string& name : file.attributes(shown)) {
    attempt([&] { static_cast<void>(file.attribute_text(shown, name)); });
    attempt([&] { static_cast<void>(file.attribute_array(shown, name)); });
  }
  if (!file.is_group(shown)) return attempt([&] { read_dataset(file, shown); });
  if (depth == kMaxDepth) return;
  for (const std::string& child : file.children(shown))
    attempt([&] { read_everything(file, concat(path, "/", child), depth + 1); });
}

// 4 MB per second and a start; on damaged files HDF5 may run in circles.
rlim_t seconds_for(std::uintmax_t size) { return 5 + static_cast<rlim_t>(size >> 22); }

[[noreturn]] void live_as_child(const std::filesystem::path& path, std::uintmax_t size, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);  // it ended before the line above
  for (const int signal : {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGXCPU, SIGINT, SIGTERM})
    std::signal(signal, SIG_DFL);
  const int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (nowhere >= 0) ::dup2(nowhere, STDERR_FILENO);
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  const rlimit time{seconds_for(size), seconds_for(size) + 1};
  ::setrlimit(RLIMIT_CPU, &time);
  attempt([&] { read_everything(H5Reader(path), "", 0); });
  ::_exit(0);
}

}  // namespace

H5Reader H5Reader::checked(const std::filesystem::path& path) {
  std::error_code ignored;
  const std::uintmax_t size = std::filesystem::file_size(path, ignored);
  const pid_t self = ::getpid();
  const pid_t child = ignored ? -1 : ::fork();
  if (child == 0) live_as_child(path, size, self);
  int status = 0;
  pid_t ended = -1;
  if (child > 0) do {
      ended = ::waitpid(child, &status, 0);
    } while (ended < 0 && errno == EINTR);
  if (ended > 0 && WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU)
    raise<FileError>("'", path.string(), "' is damaged: HDF5 did not get through it in ", seconds_for(size),
                     " s; use another copy of it");
  if (ended > 0 && !(WIFEXITED(status) && WEXITSTATUS(status) == 0))
    raise<FileError>("'", path.string(), "' is damaged: HDF5 fails while reading it; use another copy of it");
  return H5Reader(path);
}

}  // namespace squall
