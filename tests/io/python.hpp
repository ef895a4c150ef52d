// Running a Python script where there is one with the wanted module.
#pragma once

#include <cstdlib>
#include <string>

#include "io/io_support.hpp"

namespace squall::testing {

inline bool python_has(const std::string& module) {
  return std::system(("/usr/bin/python3 -c 'import " + module + "' >/dev/null 2>&1").c_str()) == 0;
}

// What the script prints, errors included, when run in `folder`.
inline std::string run_python(const fs::path& folder, const std::string& script) {
  write_file_atomically(folder / "script.py", script);
  const std::string command = "cd '" + folder.string() + "' && /usr/bin/python3 script.py > said.txt 2>&1";
  static_cast<void>(std::system(command.c_str()));
  return content_of(folder / "said.txt");
}

}  // namespace squall::testing
