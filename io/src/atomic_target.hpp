// Where a file that is to be replaced really lies, and what is said when it cannot be.
#pragma once

#include <sys/stat.h>

#include <filesystem>
#include <string_view>

namespace squall {

struct WriteTarget {
  std::filesystem::path path;  // links followed
  bool replaces = false;       // something is there
  bool plain = true;           // false: a pipe, a device
  mode_t mode = 0;             // of what is there
};

// Refuses folders and files that may not be written; `path` is what the user named.
WriteTarget write_target(const std::filesystem::path& path);

[[noreturn]] void write_failed(const std::filesystem::path& path, std::string_view step, int error_number,
                               bool previous_intact);

}  // namespace squall
