// Lists of layer cases: SQUALL_LAYER_CASES(Type, {case}, ...) makes a test that runs all properties on them, and
// remembers the type for the coverage test.
#pragma once

#include <map>

#include "squall/layers/layers.hpp"
#include "squall/testing/layer_case.hpp"
#include "support/catch.hpp"
#include "support/handlers_under_test.hpp"

namespace squall::testing {

inline std::map<std::string, std::vector<LayerCase>>& all_cases() {
  static std::map<std::string, std::vector<LayerCase>> cases;
  return cases;
}

inline bool add_cases(const std::string& type, std::vector<LayerCase> cases) {
  for (auto& c : cases) c.type = type;
  return all_cases().emplace(type, std::move(cases)).second;
}

// In a run about a device its handlers are compared with double precision on the CPU.
inline CheckOptions options_of_run() {
  CheckOptions options;
  for (const char* name : {"cpu:f64", "cpu:f32", "debug:cpu:f64"})
    options.handlers.push_back(test::name_under_test(name));
  if (!test::device_under_test().empty()) options.handlers.insert(options.handlers.begin(), "cpu:f64");
  options.make = [](const std::string& name) { return test::make_by_name(name, {.threads = 1}); };
  return options;
}

inline void run_cases(const std::string& type) {
  Catalog catalog;
  register_layers(catalog);
  for (const auto& c : all_cases().at(type))
    for (const auto& failure : check_layer(c, catalog, options_of_run())) FAIL_CHECK(failure);
  SUCCEED();
}

}  // namespace squall::testing

#define SQUALL_LAYER_CASES(Type, ...)                                                    \
  static const bool has_cases_##Type = squall::testing::add_cases(#Type, {__VA_ARGS__}); \
  TEST_CASE(#Type " has the properties of a layer") {                                    \
    REQUIRE(has_cases_##Type);                                                           \
    squall::testing::run_cases(#Type);                                                   \
  }
