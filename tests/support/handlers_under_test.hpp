// The handlers that tests run over, each with the relative error that is allowed.
#pragma once

#include <algorithm>
#include <cstdlib>
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

// The device that this run is about (SQUALL_TEST_DEVICE): "cuda:0", or "on_host", its kernels run by the host. Empty:
// the CPU, and on_host where the program has it.
inline std::string device_under_test() {
  const char* device = std::getenv("SQUALL_TEST_DEVICE");
  return device == nullptr ? "" : device;
}

// Handlers that only a test program has, by name; filled while it starts.
inline std::map<std::string, std::function<std::shared_ptr<Handler>(const std::string&)>>& handlers_of_tests() {
  static std::map<std::string, std::function<std::shared_ptr<Handler>(const std::string&)>> makers;
  return makers;
}
inline std::shared_ptr<Handler> make_by_name(const std::string& name, const HandlerOptions& options = {}) {
  const bool own = name.find("on_host") != std::string::npos && !handlers_of_tests().empty();
  return own ? handlers_of_tests().begin()->second(name) : make_handler(name, options);
}

// The handler of that name; in a run about a device its counterpart there.
inline std::string name_under_test(std::string name) {
  const std::string device = device_under_test();
  const std::size_t cpu = name.find("cpu");
  return device.empty() || cpu == std::string::npos ? name : name.replace(cpu, 3, device);
}
inline std::shared_ptr<Handler> make_under_test(const std::string& name, const HandlerOptions& options = {}) {
  return make_by_name(name_under_test(name), options);
}

// The handlers of this run, each of them also as a debug handler.
inline std::vector<HandlerUnderTest> handlers_under_test() {
  std::vector<std::string> names;
  for (const char* name : {"cpu:f32", "cpu:f64", "debug:cpu:f32", "debug:cpu:f64"})
    names.push_back(name_under_test(name));
  if (device_under_test().empty())
    for (const auto& [name, maker] : handlers_of_tests()) names.push_back(name);
  std::sort(names.begin(), names.end());
  std::vector<HandlerUnderTest> out;
  for (const std::string& name : names) {
    const bool wide = name.size() >= 3 && name.substr(name.size() - 3) == "f64";
    out.push_back({name, wide ? 1e-12 : 2e-5});
  }
  return out;
}

}  // namespace squall::test
