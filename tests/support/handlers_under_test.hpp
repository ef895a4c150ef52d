// The handlers of this machine that tests run over, each with the relative error that is allowed.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "squall/handlers/make_handler.hpp"

namespace squall::test {

struct HandlerUnderTest {
  std::string name;
  double tolerance;
};

inline bool is_debug(const std::string& name) { return name.rfind("debug:", 0) == 0; }

// Handlers that only a test program has, by name; filled while it starts.
inline std::map<std::string, std::function<std::shared_ptr<Handler>(const std::string&)>>& handlers_of_tests() {
  static std::map<std::string, std::function<std::shared_ptr<Handler>(const std::string&)>> makers;
  return makers;
}
inline std::shared_ptr<Handler> make_under_test(const std::string& name, const HandlerOptions& options = {}) {
  const auto own = handlers_of_tests().find(name);
  return own == handlers_of_tests().end() ? make_handler(name, options) : own->second(name);
}

// Every available handler and its debug twin, and those of the test program.
inline std::vector<HandlerUnderTest> handlers_under_test() {
  std::vector<std::string> names = available_handlers();
  for (const std::string& name : available_handlers())
    if (!is_debug(name)) names.push_back("debug:" + name);
  for (const auto& [name, maker] : handlers_of_tests()) names.push_back(name);
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  std::vector<HandlerUnderTest> out;
  for (const std::string& name : names) {
    const bool wide = name.size() >= 3 && name.substr(name.size() - 3) == "f64";
    out.push_back({name, wide ? 1e-12 : 2e-5});
  }
  return out;
}

}  // namespace squall::test
