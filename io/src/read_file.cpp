#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <new>
#include <string>
#include <system_error>

#include "squall/core/error.hpp"
#include "squall/core/nearest.hpp"
#include "squall/io/atomic_file.hpp"

namespace squall {

namespace fs = std::filesystem;

namespace {

// What else lies in the folder under a similar name.
std::string similar_file(const fs::path& path) {
  std::vector<std::string> names;
  std::error_code failed;
  const fs::path folder = path.parent_path().empty() ? fs::path(".") : path.parent_path();
  for (fs::directory_iterator at(folder, failed), end; !failed && at != end && names.size() < 1000;
       at.increment(failed))
    names.push_back(at->path().filename().string());
  return did_you_mean(path.filename().string(), names);
}

[[noreturn]] void read_failed(const fs::path& path, int error_number) {
  std::string remedy = remedy_for(error_number, path);
  if (error_number == EISDIR) remedy = "it is a folder, a file is needed";
  const std::string near = error_number == ENOENT && remedy.empty() ? similar_file(path) : "";
  raise<FileError>("cannot read '", path.string(), "': ", std::generic_category().message(error_number),
                   remedy.empty() ? "" : "; ", remedy, near);
}

class InputFile {
 public:
  explicit InputFile(const fs::path& path) : path_(path), descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (descriptor_ < 0) read_failed(path_, errno);
  }
  ~InputFile() { ::close(descriptor_); }
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  std::size_t expected_size() const {  // 0 where the system does not know
    struct stat status {};
    if (::fstat(descriptor_, &status) != 0) read_failed(path_, errno);
    if (S_ISDIR(status.st_mode)) read_failed(path_, EISDIR);
    return S_ISREG(status.st_mode) && status.st_size > 0 ? static_cast<std::size_t>(status.st_size) : 0;
  }
  std::size_t read(std::byte* to, std::size_t count) const {
    for (;;) {
      const ssize_t got = ::read(descriptor_, to, count);
      if (got >= 0) return static_cast<std::size_t>(got);
      if (errno != EINTR) read_failed(path_, errno);
    }
  }

 private:
  const fs::path& path_;
  int descriptor_;
};

}  // namespace

void check_readable(const fs::path& path) { static_cast<void>(InputFile(path).expected_size()); }

Bytes read_whole_file(const fs::path& path) {
  const InputFile file(path);
  try {
    Bytes content(file.expected_size());
    std::size_t filled = 0;
    for (;;) {  // the file may grow or shrink meanwhile
      if (filled == content.size()) {
        std::byte more[4096];
        const std::size_t got = file.read(more, sizeof more);
        if (got == 0) break;
        content.insert(content.end(), more, more + got);
        filled += got;
        continue;
      }
      const std::size_t got = file.read(content.data() + filled, content.size() - filled);
      if (got == 0) break;
      filled += got;
    }
    content.resize(filled);
    return content;
  } catch (const std::bad_alloc&) {
    raise<FileError>("cannot read '", path.string(), "': it does not fit into memory");
  }
}

Bytes read_data_file(const fs::path& path) {
  Bytes content = read_whole_file(path);
  return is_gzip(content) ? gunzip(content, path.string()) : content;
}

}  // namespace squall
