// Every layer that comes with squall has a case.
#include "layers/cases.hpp"

TEST_CASE("every type of layer has cases") {
  squall::Catalog catalog;
  squall::register_layers(catalog);
  for (const auto& type : catalog.of<squall::Layer>().names()) {
    if (type == "Input") continue;  // stands in every case; input_test.cpp
    INFO(type << ": add SQUALL_LAYER_CASES(" << type << ", ...) to a file of this folder");
    CHECK(squall::testing::all_cases().contains(type));
  }
}
