// Which weights are kept: counts, ties, eligibility, and NumPy's percentile.
#include "squall/core/selection.hpp"
#include "squall/core/describe.hpp"
#include "squall/core/json.hpp"

#include <limits>
#include <numeric>

#include "squall/core/random.hpp"
#include "support/catch.hpp"

using namespace squall;

namespace {

using Bytes = std::vector<std::uint8_t>;
using Values = std::vector<double>;

// The definition, written down plainly: sort by score, then by place, take the first ones.
Bytes sorted_choice(const Values& scores, const Bytes& eligible, Index wanted) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < scores.size(); ++i)
    if (eligible.empty() || eligible[i] != 0) order.push_back(i);
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return scores[a] > scores[b]; });
  Bytes keep(scores.size(), 0);
  for (std::size_t k = 0; k < order.size() && k < static_cast<std::size_t>(wanted); ++k) keep[order[k]] = 1;
  return keep;
}

Bytes top(const Values& scores, const Bytes& eligible, double sparsity) {
  return select_top(scores, eligible, 1, static_cast<Index>(scores.size()), sparsity, Quota::Tensor).keep;
}

}  // namespace

TEST_CASE("kept_of gives the counts of the percentile rule", "[selection]") {
  CHECK(kept_of(10, 90) == 1);
  CHECK(kept_of(100, 90) == 10);
  CHECK(kept_of(1000, 90) == 100);
  CHECK(kept_of(32, 80) == 7);
  CHECK(kept_of(64, 80) == 13);
  CHECK(kept_of(64, 90) == 7);
  CHECK(kept_of(256, 80) == 52);
  CHECK(kept_of(1, 99) == 1);
  CHECK(kept_of(0, 50) == 0);
  for (const Index n : {1, 2, 7, 100, 1001}) {
    CHECK(kept_of(n, 0) == n);
    CHECK(kept_of(n, 100) == 1);
  }
}

TEST_CASE("kept_of does not lose one to rounding", "[selection]") {
  // In whole numbers: n - ceil((n - 1) tenths / 1000).
  for (Index n = 1; n < 1200; n += 13)
    for (Index tenths = 0; tenths <= 1000; ++tenths) {
      const Index expected = n - ((n - 1) * tenths + 999) / 1000;
      if (kept_of(n, static_cast<double>(tenths) / 10) != expected) {
        CAPTURE(n, tenths);
        REQUIRE(kept_of(n, static_cast<double>(tenths) / 10) == expected);
      }
    }
  CHECK(kept_of(784000, 90) == 784000 - 705600);  // 783999 * 0.9 = 705599.1
  CHECK(kept_of(101, 55) == 46);                  // NumPy's rounding would keep 45
}

TEST_CASE("Sparsity outside 0 to 100 is refused", "[selection]") {
  CHECK_THROWS_AS(kept_of(10, -1), ConfigError);
  CHECK_THROWS_AS(kept_of(10, 100.5), ConfigError);
  CHECK_THROWS_WITH(kept_of(10, 120), "a sparsity of 120 % is not between 0 and 100");
  CHECK_THROWS_AS(kept_of(10, std::numeric_limits<double>::quiet_NaN()), ConfigError);
}

TEST_CASE("The best are kept, ties go to the lower index", "[selection]") {
  CHECK(top({5, 4, 3, 2, 1}, {}, 60) == Bytes{1, 1, 0, 0, 0});
  CHECK(top({1, 5, 2, 4, 3}, {0, 0, 1, 1, 1}, 60) == Bytes{0, 0, 0, 1, 1});
  CHECK(top({2, 2, 2, 2}, {}, 50) == Bytes{1, 1, 0, 0});  // 4 - ceil(1.5)
  CHECK(top({0, 0, 0, 1}, {}, 50) == Bytes{1, 0, 0, 1});
  CHECK(top({-3, -1, -2}, {}, 100) == Bytes{0, 1, 0});
  CHECK(top({0.0, -0.0, 0.0}, {}, 100) == Bytes{1, 0, 0});
}

TEST_CASE("Nothing outside the eligible is kept, and a shortfall shows", "[selection]") {
  const Values scores{1, 5, 2, 4, 3};
  const Selection s = select_top(scores, Bytes{0, 0, 0, 0, 1}, 1, 5, 20, Quota::Tensor);
  CHECK(s.keep == Bytes{0, 0, 0, 0, 1});
  CHECK(s.wanted == 4);
  CHECK(s.kept == 1);
  // Zero scores do not open what is taken.
  CHECK(top({0, 0, 0, 0, 0}, {1, 1, 0, 0, 0}, 60) == Bytes{1, 1, 0, 0, 0});
  CHECK(select_top(scores, Bytes(5, 0), 1, 5, 20, Quota::Tensor).kept == 0);
}

TEST_CASE("Each unit has its own share with quota unit", "[selection]") {
  const Values scores{9, 8, 7, 6, 1, 2, 3, 4};
  const Selection unit = select_top(scores, {}, 2, 4, 60, Quota::Unit);
  CHECK(unit.keep == Bytes{1, 1, 0, 0, 0, 0, 1, 1});
  CHECK(unit.wanted == 4);
  CHECK(unit.kept == 4);
  const Selection tensor = select_top(scores, {}, 2, 4, 60, Quota::Tensor);
  CHECK(tensor.keep == Bytes{1, 1, 1, 0, 0, 0, 0, 0});  // 8 - ceil(4.2) = 3
  CHECK(select_top(scores, {}, 2, 4, 60, Quota::Global).keep == tensor.keep);
  CHECK(select_top({}, {}, 0, 4, 60, Quota::Unit).kept == 0);
}

TEST_CASE("The selection is that of sorting, for any scores", "[selection]") {
  Rng rng(5, "selection");
  for (int round = 0; round < 300; ++round) {
    const Index n = 1 + rng.below(60);
    Values scores;
    Bytes eligible;
    for (Index i = 0; i < n; ++i) {
      scores.push_back(static_cast<double>(rng.below(6)));  // many ties
      eligible.push_back(rng.below(3) > 0 ? 1 : 0);
    }
    const double p = 100 * rng.uniform();
    CAPTURE(round, n, p);
    REQUIRE(top(scores, eligible, p) == sorted_choice(scores, eligible, kept_of(n, p)));
    REQUIRE(top(scores, {}, p) == sorted_choice(scores, {}, kept_of(n, p)));
  }
}

TEST_CASE("Scores that are not finite and wrong sizes are refused", "[selection]") {
  const Values bad{1, std::numeric_limits<double>::quiet_NaN()};
  CHECK_THROWS_AS(top(bad, {}, 50), NumericError);
  CHECK_THROWS_AS(select_top(Values{1, 2, 3}, {}, 2, 2, 50, Quota::Unit), ShapeError);
  CHECK_THROWS_AS(select_top(Values{1, 2}, Bytes{1}, 1, 2, 50, Quota::Unit), ShapeError);
}

TEST_CASE("A million scores are chosen from as sorting them would", "[selection]") {
  Rng rng(6, "large");
  Values scores(1000000);
  for (double& s : scores) s = rng.uniform();
  CHECK(top(scores, {}, 90) == sorted_choice(scores, {}, 100000));
}

TEST_CASE("percentile is NumPy's", "[selection]") {
  const Values x{5, 4, 3, 2, 1};
  CHECK(percentile(x, 60) == Approx(3.4));
  CHECK(percentile(x, 20) == Approx(1.8));
  CHECK(percentile(x, 50) == 3);
  CHECK(percentile(x, 0) == 1);
  CHECK(percentile(x, 100) == 5);
  CHECK(percentile(Values{7}, 35) == 7);
  // numpy.percentile([1, 2, 10], 80) == 6.8 in this very rounding: 10 - 8 * (1 - t), t = 0.6000000000000001.
  const double t = 2 * (80.0 / 100) - 1;
  CHECK(percentile(Values{10, 1, 2}, 80) == 10 - 8.0 * (1 - t));
  CHECK_THROWS_AS(percentile(Values{}, 50), ConfigError);
  CHECK_THROWS_AS(percentile(x, 101), ConfigError);
}

TEST_CASE("The original's rule keeps what reaches the threshold, all of it when that is zero", "[selection]") {
  CHECK(keep_by_percentile(Values{5, 4, 3, 2, 1}, 60) == Bytes{1, 1, 0, 0, 0});
  CHECK(keep_by_percentile(Values{0, 0, 2, 4, 3}, 60) == Bytes{0, 0, 0, 1, 1});
  CHECK(keep_by_percentile(Values{0, 0, 0, 0, 3}, 20) == Bytes{1, 1, 1, 1, 1});
  CHECK(keep_by_percentile(Values{2, 2, 2, 1}, 50) == Bytes{1, 1, 1, 0});  // ties survive
  CHECK(keep_by_percentile(Values{}, 50).empty());
  // n = 101, p = 55: h = 55.00000000000001 in double, so one element fewer than in exact arithmetic.
  Values all(101);
  std::iota(all.begin(), all.end(), 1.0);
  const Bytes keep = keep_by_percentile(all, 55);
  CHECK(std::count(keep.begin(), keep.end(), 1) == 45);
}

TEST_CASE("Names of quotas", "[selection]") {
  Quota q = Quota::Unit;
  CHECK_FALSE(read_value(json("tensor"), q));
  CHECK(q == Quota::Tensor);
  CHECK(write_value(Quota::Global) == "global");
}
