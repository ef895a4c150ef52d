// PyTorch's losses, replayed.
#include <filesystem>

#include "squall/tools/catalog.hpp"
#include "squall/tools/conformance.hpp"
#include "support/catch.hpp"
#include "support/handlers_under_test.hpp"

using namespace squall;

TEST_CASE("PyTorch's losses are reproduced", "[golden]") {
  const Catalog catalog = make_catalog();
  int replayed = 0;
  for (const std::string name : {"cpu:f64", "cpu:f32", "debug:cpu:f64"}) {
    const auto handler = test::make_under_test(name);
    for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::path(SQUALL_GOLDEN) / "torch")) {
      if (!entry.path().filename().string().starts_with("loss_")) continue;
      const auto result = replay(entry.path(), catalog, handler);
      INFO(name << " " << result.name << ": " << result.message);
      CHECK(result.state == ConformanceResult::State::Passed);
      ++replayed;
    }
  }
  CHECK(replayed >= 3 * 6);
}
