// Networks of BeyondML, replayed: masks, training, utilities.
#include <filesystem>

#include "squall/tools/catalog.hpp"
#include "squall/tools/conformance.hpp"
#include "support/catch.hpp"
#include "support/handlers_under_test.hpp"

using namespace squall;

namespace {

int replay_networks(const std::string& handler_name, const std::vector<std::string>& prefixes) {
  const Catalog catalog = make_catalog();
  const auto handler = test::make_under_test(handler_name);
  int replayed = 0;
  for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::path(SQUALL_GOLDEN) / "beyondml"))
    for (const auto& prefix : prefixes) {
      if (!entry.path().filename().string().starts_with(prefix)) continue;
      const auto result = replay(entry.path(), catalog, handler);
      INFO(handler_name << " " << result.name << ": " << result.message);
      CHECK(result.state == ConformanceResult::State::Passed);
      ++replayed;
    }
  return replayed;
}

}  // namespace

TEST_CASE("BeyondML's masks and training are reproduced", "[golden]") {
  CHECK(replay_networks("cpu:f64", {"pt_prune_", "tf_mask_", "tf_task_", "tf_sparsification_", "tf_train",
                                    "pt_training", "tf_add_", "tf_remove_", "tf_quantize_"}) >= 24);
}

TEST_CASE("BeyondML's masks and training are reproduced in single precision", "[golden]") {
  CHECK(replay_networks("cpu:f32", {"pt_prune_model", "tf_task_", "tf_sparsification_", "tf_training", "pt_training",
                                    "tf_add_", "tf_remove_", "tf_quantize_"}) >= 10);
}
