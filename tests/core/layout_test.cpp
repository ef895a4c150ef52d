// Placement of buffers in one arena.
#include "squall/core/layout.hpp"
#include "squall/core/json.hpp"

#include <algorithm>

#include "squall/core/random.hpp"
#include "support/catch.hpp"

using namespace squall;

namespace {

std::vector<Interval> random_buffers(std::uint64_t seed, Index count, Index steps) {
  Rng rng(seed, "buffers");
  std::vector<Interval> out;
  for (Index i = 0; i < count; ++i) {
    const auto first = static_cast<int>(rng.below(steps));
    const auto last = static_cast<int>(std::min(steps - 1, first + rng.below(rng.below(3) == 0 ? steps : 4)));
    const Index bytes = rng.below(10) == 0 ? 0 : 1 + rng.below(rng.below(2) == 0 ? 100 : 5000);
    out.push_back({concat("b", i), static_cast<std::size_t>(bytes), first, last, 0});
  }
  return out;
}

bool alive_together(const Interval& a, const Interval& b) { return a.first <= b.last && b.first <= a.last; }
bool apart(const Interval& a, const Interval& b, std::size_t margin) {
  return a.offset + a.bytes + margin <= b.offset || b.offset + b.bytes + margin <= a.offset;
}

std::size_t bytes_alive(const std::vector<Interval>& buffers, int step) {
  std::size_t sum = 0;
  for (const auto& b : buffers)
    if (b.first <= step && step <= b.last) sum += b.bytes;
  return sum;
}

}  // namespace

TEST_CASE("buffers alive together never overlap, whatever their number, sizes and lives") {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    const auto alignment = seed % 3 == 0 ? std::size_t{1} : std::size_t{64};
    const auto margin = seed % 4 == 0 ? std::size_t{64} : std::size_t{0};
    const Index steps = 2 + static_cast<Index>(seed);
    const auto buffers = random_buffers(seed, 5 + static_cast<Index>(seed) * 2, steps);
    for (const auto mode : {MemoryMode::Compact, MemoryMode::Inspectable}) {
      const Layout layout = place(buffers, mode, alignment, margin);
      REQUIRE(layout.buffers.size() == buffers.size());
      for (std::size_t i = 0; i < buffers.size(); ++i) {
        const Interval& a = layout.buffers[i];
        REQUIRE(a.path == buffers[i].path);
        REQUIRE(a.bytes == buffers[i].bytes);
        REQUIRE(a.offset % alignment == 0);
        REQUIRE(a.offset + a.bytes + margin <= layout.arena_bytes);
        for (std::size_t j = 0; j < i; ++j) {
          const Interval& b = layout.buffers[j];
          const bool both = a.bytes + margin > 0 && b.bytes + margin > 0;
          if (both && (mode == MemoryMode::Inspectable || alive_together(a, b))) REQUIRE(apart(a, b, margin));
        }
      }
      for (int step = 0; step < steps; ++step) REQUIRE(bytes_alive(buffers, step) <= layout.lower_bound_bytes);
      REQUIRE(layout.lower_bound_bytes <= layout.arena_bytes);
    }
  }
}

TEST_CASE("sharing memory costs at most a third more than the bound on these lives, and saves much") {
  double worst = 0;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    const auto buffers = random_buffers(seed, 80, 60);
    const Layout compact = place(buffers, MemoryMode::Compact);
    worst = std::max(worst, static_cast<double>(compact.arena_bytes) / static_cast<double>(compact.lower_bound_bytes));
    CHECK(compact.arena_bytes < place(buffers, MemoryMode::Inspectable).arena_bytes / 2);
  }
  CHECK(worst < 1.34);
}

TEST_CASE("the same buffers are always placed the same") {
  const auto buffers = random_buffers(9, 60, 30);
  const Layout a = place(buffers, MemoryMode::Compact);
  const Layout b = place(buffers, MemoryMode::Compact);
  CHECK(a.report() == b.report());
}

TEST_CASE("a chain of layers needs two buffers only") {
  std::vector<Interval> chain;
  for (int i = 0; i < 10; ++i) chain.push_back({concat("y", i), 640, i, i + 1, 0});
  const Layout layout = place(chain, MemoryMode::Compact);
  CHECK(layout.arena_bytes == 1280);
  CHECK(layout.lower_bound_bytes == 1280);
  CHECK(place(chain, MemoryMode::Inspectable).arena_bytes == 6400);
}

TEST_CASE("a buffer whose life ends where another begins is alive together with it") {
  const Layout layout = place({{"a", 64, 0, 3, 0}, {"b", 64, 3, 5, 0}, {"c", 64, 4, 6, 0}}, MemoryMode::Compact);
  CHECK(layout.buffers[0].offset != layout.buffers[1].offset);
  CHECK(layout.buffers[2].offset == layout.buffers[0].offset);
  CHECK(layout.arena_bytes == 128);
}

TEST_CASE("no buffers need no memory, and empty ones neither") {
  CHECK(place({}, MemoryMode::Compact).arena_bytes == 0);
  CHECK(place({{"a", 0, 0, 1, 0}, {"b", 0, 0, 1, 0}}, MemoryMode::Compact).arena_bytes == 0);
}

TEST_CASE("a layout reports where everything is") {
  const json report = place({{"A.outputs.x", 100, 0, 2, 0}}, MemoryMode::Compact).report();
  CHECK(report["arena_bytes"] == 128);
  CHECK(report["lower_bound_bytes"] == 128);
  CHECK(report["buffers"][0] ==
        json{{"path", "A.outputs.x"}, {"bytes", 100}, {"offset", 0}, {"first", 0}, {"last", 2}});
}
