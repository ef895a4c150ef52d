// Random streams: the published numbers of Philox, positions, and draws that are fair.
#include "squall/core/random.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "support/catch.hpp"

using namespace squall;

namespace {

std::vector<std::uint32_t> block(std::uint64_t low, std::uint64_t high, std::uint64_t key) {
  const auto b = formulas::philox(low, high, key);
  return {b.v[0], b.v[1], b.v[2], b.v[3]};
}

// Sum of squared deviations over the expected count: about `cells` - 1 for a fair generator.
double chi_square(const std::vector<Index>& counts) {
  const auto total = static_cast<double>(std::accumulate(counts.begin(), counts.end(), Index{0}));
  const double expected = total / static_cast<double>(counts.size());
  double sum = 0;
  for (const Index c : counts) sum += (static_cast<double>(c) - expected) * (static_cast<double>(c) - expected);
  return sum / expected;
}

}  // namespace

TEST_CASE("Philox4x32-10 gives the published known answers") {
  CHECK(block(0, 0, 0) == std::vector<std::uint32_t>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  constexpr std::uint64_t kOnes = ~std::uint64_t{0};
  CHECK(block(kOnes, kOnes, kOnes) == std::vector<std::uint32_t>{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(block(0x85a308d3243f6a88, 0x0370734413198a2e, 0x299f31d0a4093822) ==
        std::vector<std::uint32_t>{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("a stream hands out the words of its blocks one after another") {
  const RandomKey key{7, 3};
  Rng rng(key);
  for (std::uint64_t b = 0; b < 3; ++b)
    for (const std::uint32_t word : block(b, 3, 7)) CHECK(rng.next() == word);
  CHECK(rng.position() == 12);
}

TEST_CASE("a stream can be left and resumed at any position") {
  Rng whole(42, "iterator");
  std::vector<std::uint32_t> words;
  for (int i = 0; i < 23; ++i) words.push_back(whole.next());
  for (std::uint64_t from = 0; from < 23; ++from) {
    Rng later(42, "iterator");
    later.seek(from);
    CHECK(later.position() == from);
    for (std::size_t i = from; i < words.size(); ++i) REQUIRE(later.next() == words[i]);
  }
  Rng copy = whole;
  CHECK(copy.next() == whole.next());
}

TEST_CASE("seed, name and step each choose another stream") {
  std::set<std::uint64_t> firsts;
  for (const std::uint64_t seed : {0, 1, 2})
    for (const char* name : {"", "Hid.W", "Hid.bias", "Out.W"})
      for (const std::uint64_t step : {0, 1}) firsts.insert(Rng(seed, name, step).next64());
  CHECK(firsts.size() == 24);
  CHECK(stream_key(1, "a") == stream_key(1, "a"));
  CHECK(stream_key(1, "a") != stream_key(2, "a"));
}

TEST_CASE("uniform numbers fill 0 to 1 evenly") {
  Rng rng(1, "uniform");
  std::vector<Index> counts(20, 0);
  double sum = 0;
  for (int i = 0; i < 20000; ++i) {
    const double u = rng.uniform();
    REQUIRE((u >= 0 && u < 1));
    sum += u;
    ++counts[static_cast<std::size_t>(u * 20)];
  }
  CHECK(std::abs(sum / 20000 - 0.5) < 0.01);
  CHECK(chi_square(counts) < 45);  // 19 degrees of freedom: exceeded once in 1000
  for (int i = 0; i < 100; ++i) {
    const double v = rng.uniform(-3, 5);
    CHECK((v >= -3 && v < 5));
  }
}

TEST_CASE("normal numbers have mean 0 and deviation 1 and are always finite") {
  Rng rng(2, "normal");
  double sum = 0;
  double squares = 0;
  Index beyond_two = 0;
  for (int i = 0; i < 20000; ++i) {
    const double z = rng.normal();
    REQUIRE(std::isfinite(z));
    sum += z;
    squares += z * z;
    if (std::abs(z) > 2) ++beyond_two;
  }
  CHECK(std::abs(sum / 20000) < 0.03);
  CHECK(std::abs(squares / 20000 - 1) < 0.05);
  CHECK(std::abs(static_cast<double>(beyond_two) / 20000 - 0.0455) < 0.006);
  double first = 0;
  double second = 0;
  formulas::normal_pair(0, 0, first, second);
  CHECK(std::isfinite(first));
}

TEST_CASE("below() is without bias, also where the range does not divide 2^64") {
  Rng rng(3, "below");
  for (const Index n : {Index{1}, Index{2}, Index{3}, Index{7}, Index{10}}) {
    std::vector<Index> counts(static_cast<std::size_t>(n), 0);
    for (int i = 0; i < 10000; ++i) ++counts[static_cast<std::size_t>(rng.below(n))];
    CHECK(chi_square(counts) < 28);  // at most 9 degrees of freedom
  }
  // A range of 3/4 of 2^63: taking a remainder only would draw the lowest third twice as often.
  const Index wide = (Index{1} << 62) / 2 * 3;
  Index low = 0;
  for (int i = 0; i < 6000; ++i)
    if (rng.below(wide) < wide / 3) ++low;
  CHECK(std::abs(static_cast<double>(low) / 6000 - 1.0 / 3) < 0.03);
  CHECK_THROWS_AS(rng.below(0), ShapeError);
  CHECK_THROWS_AS(rng.below(-4), ShapeError);
}

TEST_CASE("permutations are permutations, and all orders come equally often") {
  Rng rng(5, "shuffle");
  auto order = rng.permutation(1000);
  CHECK_FALSE(std::ranges::is_sorted(order));
  std::ranges::sort(order);
  for (Index i = 0; i < 1000; ++i) REQUIRE(order[static_cast<std::size_t>(i)] == i);
  std::map<std::vector<Index>, Index> seen;
  for (int i = 0; i < 12000; ++i) ++seen[rng.permutation(4)];
  std::vector<Index> counts;
  for (const auto& [one, count] : seen) counts.push_back(count);
  REQUIRE(counts.size() == 24);
  CHECK(chi_square(counts) < 50);  // 23 degrees of freedom
  CHECK(rng.permutation(0).empty());
}
