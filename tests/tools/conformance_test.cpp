#include <filesystem>

#include "squall/tools/catalog.hpp"
#include "squall/tools/conformance.hpp"
#include "support/catch.hpp"
#include "support/handlers_under_test.hpp"

using namespace squall;

TEST_CASE("recordings of brainstorm are reproduced", "[golden]") {
  const Catalog catalog = make_catalog();
  const auto name = GENERATE(as<std::string>{}, "cpu:f64", "cpu:f32", "debug:cpu:f64");
  const auto handler = test::make_under_test(name);
  int replayed = 0;
  for (const char* folder : {"brainstorm", "brainstorm_training"})
    for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::path(SQUALL_GOLDEN) / folder)) {
      if (entry.path().extension() != ".h5") continue;  // a saved network, replayed with the case of its name
      const auto result = replay(entry.path(), catalog, handler);
      INFO(name << " " << result.name << ": " << result.message);
      CHECK(result.state == ConformanceResult::State::Passed);
      ++replayed;
    }
  CHECK(replayed >= 45);
}

TEST_CASE("a recording that is wrong or of no known kind is a failure", "[golden]") {
  const Catalog catalog = make_catalog();
  const auto handler = test::make_under_test("cpu:f64");
  CHECK(replay("/nonexistent/x.h5", catalog, handler).state == ConformanceResult::State::Failed);
}
