#include "training_support.hpp"

using namespace training_test;

namespace {

ScoreSum score(const json& j, const HostArray& predicted, const HostArray& targets, const HostArray& mask = {}) {
  ScoreSum sum;
  make<Scorer>(j)->add(predicted, targets, mask, sum);
  return sum;
}
HostArray rows(const Shape& shape, const std::vector<float>& values) { return HostArray::of(shape, values); }

}  // namespace

TEST_CASE("Accuracy counts right answers") {
  const auto p = rows({1, 4, 3}, {.1F, .7F, .2F, .5F, .2F, .3F, .2F, .2F, .6F, .9F, .05F, .05F});
  const auto t = HostArray::of(Shape{1, 4, 1}, std::vector<std::int32_t>{1, 2, 2, 1});
  CHECK(score({{"@type", "Accuracy"}}, p, t).value() == 0.5);
  const auto one_hot = rows({1, 4, 3}, {0, 1, 0, 0, 0, 1, 0, 0, 1, 0, 1, 0});
  CHECK(score({{"@type", "Accuracy"}}, p, one_hot).value() == 0.5);
  const auto mask = rows({1, 4, 1}, {1, 0, 1, 0});
  const auto masked = score({{"@type", "Accuracy"}}, p, t, mask);
  CHECK(masked.value() == 1.0);
  CHECK(masked.weight == 2);
}

TEST_CASE("Accuracy of one column goes by a threshold") {
  const auto p = rows({1, 4, 1}, {.9F, .4F, .5F, .1F});
  const auto t = rows({1, 4, 1}, {1, 0, 0, 0});
  CHECK(score({{"@type", "Accuracy"}}, p, t).value() == 0.75);
  CHECK(score({{"@type", "Accuracy"}, {"threshold", 0.6}}, p, t).value() == 1.0);
}

TEST_CASE("Hamming counts right decisions") {
  // Rows of three decisions; 7 of 12 are right.
  const auto p = rows({2, 2, 3}, {.9F, .1F, .8F, .2F, .6F, .4F, .7F, .7F, .1F, .3F, .2F, .9F});
  const auto t = rows({2, 2, 3}, {1, 0, 0, 0, 0, 0, 0, 1, 1, 0, 1, 1});
  CHECK(score({{"@type", "Hamming"}}, p, t).value() == Approx(7.0 / 12));
  CHECK_THROWS_AS(score({{"@type", "Hamming"}}, p, rows({2, 2, 1}, {1, 0, 0, 1})), ShapeError);
}

TEST_CASE("MeanSquaredError is half the squared distance per row") {
  const auto p = rows({1, 6, 1}, {0, 1, 2, 3, 4, 5});
  const auto t = rows({1, 6, 1}, {.5F, 1, 2, 3, 5, 7});  // squares: 0.25 + 1 + 4 = 5.25
  CHECK(score({{"@type", "MeanSquaredError"}}, p, t).value() == Approx(0.5 * 5.25 / 6));
  const auto two = rows({1, 2, 2}, {0, 0, 0, 0}), targets = rows({1, 2, 2}, {1, 1, 2, 0});
  CHECK(score({{"@type", "MeanSquaredError"}}, two, targets).value() == Approx((1 + 2) / 2.0));
}

TEST_CASE("Scores add up over batches") {
  const auto scorer = make<Scorer>({{"@type", "Accuracy"}, {"name", "right"}});
  ScoreSum sum;
  scorer->add(rows({1, 1, 2}, {1, 0}), rows({1, 1, 1}, {0}), {}, sum);
  scorer->add(rows({1, 3, 2}, {1, 0, 1, 0, 1, 0}), rows({1, 3, 1}, {1, 1, 1}), {}, sum);
  CHECK(sum.value() == 0.25);
  CHECK(scorer->score_name() == "right");
  CHECK_THROWS_AS(scorer->add(rows({1, 3, 2}, {1, 0, 1, 0, 1, 0}), rows({1, 2, 1}, {1, 1}), {}, sum), ShapeError);
}
