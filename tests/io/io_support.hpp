// A folder of its own for each test, and short ways to make files in it.
#pragma once

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "squall/core/error.hpp"
#include "squall/io/atomic_file.hpp"
#include "support/catch.hpp"

namespace squall::testing {

namespace fs = std::filesystem;

class TempFolder {
 public:
  TempFolder() {
    std::string name = (fs::temp_directory_path() / "squall-io-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
    path_ = name;
  }
  ~TempFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  const fs::path& path() const { return path_; }
  fs::path operator/(const std::string& name) const { return path_ / name; }
  fs::path file(const std::string& name, std::string_view content) const {
    fs::create_directories((path_ / name).parent_path());
    std::ofstream(path_ / name, std::ios::binary) << content;
    return path_ / name;
  }
  std::vector<std::string> names() const {
    std::vector<std::string> all;
    for (const auto& entry : fs::directory_iterator(path_)) all.push_back(entry.path().filename().string());
    std::sort(all.begin(), all.end());
    return all;
  }

 private:
  fs::path path_;
};

inline std::string content_of(const fs::path& path) { return std::string(text_of(read_whole_file(path))); }

inline std::string big_endian(std::uint32_t v) {
  std::string out;
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>((v >> shift) & 255U);
  return out;
}

// The message of the Error that `act` raises; fails the test when it raises none or something else.
template <class E = Error>
std::string message_of(const std::function<void()>& act) {
  try {
    act();
  } catch (const E& e) {
    return e.what();
  } catch (const std::exception& e) {
    FAIL("another exception: " << e.what());
  }
  FAIL("no exception");
  return {};
}

// Every truncation, every byte set to several values, and some splices: `read` must return or raise an Error.
inline int read_mutations(const std::string& good, const std::function<void(const std::string&)>& read) {
  int refused = 0;
  const auto attempt = [&](const std::string& bad) {
    try {
      read(bad);
    } catch (const Error& e) {
      if (std::string(e.what()).empty()) FAIL("an error without a message");
      ++refused;
    }
  };
  for (std::size_t n = 0; n < good.size(); ++n) attempt(good.substr(0, n));
  for (std::size_t i = 0; i < good.size(); ++i)
    for (const int value : {0, 1, 0x20, 0x29, 0x39, 0x7F, 0x80, 0xFF}) {
      std::string bad = good;
      bad[i] = static_cast<char>(value);
      attempt(bad);
    }
  for (std::size_t i = 0; i < good.size(); i += 3) attempt(good.substr(0, i) + good.substr(i / 2));
  attempt(good + "x");
  return refused;
}

}  // namespace squall::testing
