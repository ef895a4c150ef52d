// Recordings of PyTorch's optimizers, clipping and schedules.
#include <filesystem>

#include "squall/tools/catalog.hpp"
#include "squall/tools/conformance.hpp"
#include "support/catch.hpp"
#include "support/handlers_under_test.hpp"

using namespace squall;

TEST_CASE("recordings of optimizers and schedules and clipping are reproduced", "[golden]") {
  const Catalog catalog = make_catalog();
  const auto name = GENERATE(as<std::string>{}, "cpu:f64", "cpu:f32", "debug:cpu:f64");
  const auto handler = test::make_under_test(name);
  int replayed = 0, left_out = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::filesystem::path(SQUALL_GOLDEN) / "torch_training")) {
    const auto result = replay(entry.path(), catalog, handler);
    INFO(name << " " << result.name << ": " << result.message);
    CHECK(result.state != ConformanceResult::State::Failed);
    ++(result.state == ConformanceResult::State::NotApplicable ? left_out : replayed);
  }
  CHECK(replayed == 49);
  CHECK(left_out == 2);  // LBFGS
}
