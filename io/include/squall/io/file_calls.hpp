// The system calls by which a file is replaced, as an object, so that tests can make each of them fail.
#pragma once

#include <sys/types.h>

#include <cstddef>

namespace squall {

// The operating system's own. Results and errno are those of the calls of the same name.
class FileCalls {
 public:
  virtual ~FileCalls() = default;
  virtual int open(const char* path, int flags, mode_t mode) const;
  virtual ssize_t write(int file, const void* bytes, std::size_t count) const;
  virtual int fsync(int file) const;
  virtual int close(int file) const;
  virtual int rename(const char* from, const char* to) const;
  virtual int unlink(const char* path) const;
};

}  // namespace squall
