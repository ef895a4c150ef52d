// The suite of benchmarks: names, checks, peers that answer and peers that do not.
#include <set>

#include "squall/handlers/make_handler.hpp"
#include "squall/tools/bench.hpp"
#include "squall/tools/catalog.hpp"
#include "support/catch.hpp"
#include "support/handlers_under_test.hpp"
#include "tools/run_command.hpp"

using namespace squall;
using squall::testing::Folder;

namespace {

BenchContext context(const Catalog& catalog) { return {catalog, make_handler("cpu:f32", {1}), 1, 1, std::nullopt}; }

const Benchmark& row(const std::vector<Benchmark>& all, const std::string& name) {
  for (const auto& b : all)
    if (b.name == name) return b;
  FAIL("no row " << name);
  return all.front();
}

// A peer that is a shell script.
PeerOptions shell_peer(const Folder& folder, const std::string& script) {
  folder.write("peer.sh", script);
  return {"sh", folder / ""};
}

}  // namespace

TEST_CASE("Rows of the benchmark have names of their own and know their peers", "[bench]") {
  std::set<std::string> names;
  for (const auto& b : benchmarks()) {
    CAPTURE(b.name);
    CHECK(names.insert(b.name).second);
    CHECK((b.make != nullptr) != (b.run != nullptr));
    for (const auto& peer : b.peers) {
      CHECK(std::filesystem::exists(std::filesystem::path(SQUALL_SOURCES) / "tools/peers" / peer.script));
      CHECK_FALSE(peer.rows.empty());
    }
  }
  for (const char* name : {"mlp_train_b1", "mlp_tiny_train_b128", "mlp_infer_b8", "cifar10_cnn_train_b100",
                           "vgg_small_train_b32", "lstm_256_T100_b32", "sp_fc_1200_b128_s98", "sp_conv3_64@32_n1_s80",
                           "sp_conv3_train_256@8_n32_s95", "sp_mlp_infer_b8_s95", "sp_mlp_train_b128_s90", "rss_cifar"})
    CHECK(names.count(name) == 1);
}

TEST_CASE("Rows of the benchmark check their results", "[bench]") {
  const Catalog catalog = make_catalog();
  const auto all = benchmarks();
  for (const char* name : {"mlp_tiny_train_b32", "mlp_infer_b1", "sp_fc_512_b8_s95", "sp_conv3_256@8_n1_s90",
                           "sp_conv3_train_256@8_n32_s95", "sp_mlp_train_b128_s95"}) {
    CAPTURE(name);
    for (const BenchRow& r : measure(row(all, name), context(catalog))) {
      CHECK(r.checked);
      CHECK(r.ours_us > 0);
    }
  }
}

TEST_CASE("A peer's fastest configuration is what a row of the benchmark is compared with", "[bench]") {
  const Catalog catalog = make_catalog();
  const Folder folder;
  BenchContext c = context(catalog);
  c.rounds = 3;
  c.peers = shell_peer(folder, R"(echo chatter; echo '{"ready": true}'
while read -r line; do echo '{"a": {"slow": 900.0, "quick": 12.5}, "b": {"slow": 800.0}}'; done)");
  Benchmark b{"fake",
              [](const BenchContext&) {
                return BenchWork{[] {}, "squall dense", [] {}, [] { return true; }};
              },
              {{"peer.sh", {"--unused"}, {"a", "b"}}, {"peer.sh", {}, {"b"}}}};
  const auto rows = measure(b, c);
  REQUIRE(rows.size() == 3);
  CHECK(rows[0].peer == "squall dense");
  CHECK(rows[1].peer == "peer quick");
  CHECK(rows[1].peer_us == 12.5);
  CHECK(rows[2].peer == "peer slow");
  CHECK(rows[2].peer_us == 800);
  const std::string table = table_of(rows);
  CHECK(table.find("| `fake` | 1 |") != std::string::npos);
  CHECK(table.find("| peer quick | 12.5 us |") != std::string::npos);
}

TEST_CASE("On a device every configuration of a peer has a line of its own", "[bench]") {
  const Catalog catalog = make_catalog();
  const Folder folder;
  BenchContext c = context(catalog);
  c.handler = test::make_by_name("on_host:f32");
  c.precision = "tf32";
  c.peers = shell_peer(folder, R"(case "$*" in *"--config eager --device cuda --precision tf32 --config eager,graph") ;;
*) exit 1 ;; esac
echo '{"ready": true}'; while read -r line; do echo '{"a": {"eager": 900.0, "graph": 12.5}}'; done)");
  const Benchmark b{"fake",
                    [](const BenchContext&) {
                      return BenchWork{[] {}, {}, {}, [] { return true; }};
                    },
                    {{"peer.sh", {"--config", "eager"}, {"a"}, "eager,graph"}, {"cpu_only.sh", {}, {"a"}}}};
  const auto rows = measure(b, c);
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].peer == "peer eager");
  CHECK(rows[1].peer == "peer graph");
  CHECK(rows[1].peer_us == 12.5);
  CHECK(table_of(rows).find("| `fake` | on_host:f32 |") != std::string::npos);
}

TEST_CASE("A peer that fails says which it is", "[bench]") {
  const Catalog catalog = make_catalog();
  const Folder folder;
  BenchContext c = context(catalog);
  const Benchmark b{"fake",
                    [](const BenchContext&) {
                      return BenchWork{[] {}, {}, {}, [] { return true; }};
                    },
                    {{"peer.sh", {}, {"a"}}}};
  const auto fails = [&](const std::string& script, const std::string& why) {
    c.peers = shell_peer(folder, script);
    CHECK_THROWS_WITH(measure(b, c), Catch::Contains("peer peer.sh") && Catch::Contains(why));
  };
  fails("exit 1", "ended early");
  fails(R"(echo '{"ready": true}'; exit 0)", "");
  fails(R"(echo '{"busy": true}'; read -r line)", "something else than that it is ready");
  fails(R"(echo '{"ready": true}'; while read -r line; do echo '{"other": {"x": 1}}'; done)", "could not measure a");
}
