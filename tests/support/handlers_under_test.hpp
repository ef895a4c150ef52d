// The handlers of this machine that tests run over, each with the relative error that is allowed.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "squall/handlers/make_handler.hpp"

namespace squall::test {

struct HandlerUnderTest {
  std::string name;
  double tolerance;
};

inline bool is_debug(const std::string& name) { return name.rfind("debug:", 0) == 0; }

// Every available handler and its debug twin.
inline std::vector<HandlerUnderTest> handlers_under_test() {
  std::vector<std::string> names = available_handlers();
  for (const std::string& name : available_handlers())
    if (!is_debug(name)) names.push_back("debug:" + name);
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
