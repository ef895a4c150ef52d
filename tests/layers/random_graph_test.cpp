#include "squall/testing/random_graph.hpp"

#include "squall/layers/layers.hpp"
#include "support/catch.hpp"
#include "support/handlers_under_test.hpp"

TEST_CASE("networks wired at random have right gradients, whatever the memory mode") {
  squall::Catalog catalog;
  squall::register_layers(catalog);
  const auto handler = squall::test::make_under_test("cpu:f64", {.threads = 1});
  for (std::uint64_t seed = 0; seed < 200; ++seed)
    for (const auto& failure : squall::testing::check_random_graph(seed, catalog, handler)) FAIL_CHECK(failure);
  SUCCEED();
}
