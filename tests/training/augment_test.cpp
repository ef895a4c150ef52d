#include <cmath>
#include <set>

#include "training_support.hpp"

using namespace training_test;

namespace {

// Images (height 3, width 4, one channel) whose pixels are all different.
std::shared_ptr<DataSource> images(Index n) {
  std::vector<std::uint8_t> x;
  for (Index i = 0; i < n * 12; ++i) x.push_back(static_cast<std::uint8_t>(1 + i % 250));
  return source({{"default", HostArray::of(Shape{n, 3, 4, 1}, x)}, {"targets", HostArray(DType::I32, Shape{n, 1})}});
}
std::unique_ptr<Augmented> augmented(std::shared_ptr<DataSource> data, const std::vector<json>& changes,
                                     std::uint64_t seed = 1) {
  std::vector<std::unique_ptr<Augment>> made;
  for (const auto& c : changes) made.push_back(make<Augment>(c));
  return std::make_unique<Augmented>(std::make_unique<Undivided>(std::move(data)), std::move(made), seed);
}
HostArray first(DataIterator& it, Index epoch = 0, const std::string& field = "default") {
  Batch batch;
  it.restart(epoch);
  it.next(batch);
  return *batch.find(field);
}

}  // namespace

TEST_CASE("Noise is added anew in every pass, and never to the data itself") {
  const auto data =
      source({{"default", HostArray(DType::F32, {1000, 3})}, {"targets", HostArray(DType::F32, {1000, 1})}});
  const auto it = augmented(
      data, {{{"@type", "AddGaussianNoise"}, {"std_dict", {{"default", 0.5}}}, {"mean_dict", {{"default", 2}}}}});
  const auto a = first(*it, 0), b = first(*it, 1);
  CHECK_FALSE(a == b);
  CHECK(a == first(*it, 0));
  double sum = 0, squares = 0;
  for (const double v : a.doubles()) {
    sum += v - 2;
    squares += (v - 2) * (v - 2);
  }
  CHECK(sum / 3000 == Approx(0).margin(0.04));
  CHECK(std::sqrt(squares / 3000) == Approx(0.5).epsilon(0.05));
  CHECK(data->fields[0].second == HostArray(DType::F32, {1000, 3}));
  CHECK(first(*it, 0, "targets").doubles() == std::vector<double>(1000, 0));
  CHECK_FALSE(first(*augmented(data, {{{"@type", "AddGaussianNoise"}}}, 1)) ==
              first(*augmented(data, {{{"@type", "AddGaussianNoise"}}}, 2)));
}

TEST_CASE("Salt and pepper come in their shares") {
  std::vector<float> half(10000, 0.5F);
  const auto data = source({{"default", HostArray::of(Shape{10000, 1}, half)}});
  const auto got =
      first(*augmented(data, {{{"@type", "AddSaltNPepper"}, {"prob_dict", 0.4}, {"ratio_dict", 0.75}}})).doubles();
  CHECK(std::ranges::count(got, 1.0) == Approx(3000).margin(200));
  CHECK(std::ranges::count(got, 0.0) == Approx(1000).margin(150));
  CHECK(std::ranges::count(got, 0.5) == Approx(6000).margin(250));
}

TEST_CASE("Flip mirrors the width of some images") {
  const auto data = images(20);
  const auto all = first(*augmented(data, {{{"@type", "Flip"}, {"prob_dict", 1}}}));
  const HostArray& plain = data->fields[0].second;
  for (Index row = 0; row < 60; ++row)
    for (Index x = 0; x < 4; ++x) CHECK(all.value(4 * row + x) == plain.value(4 * row + 3 - x));
  const auto some = first(*augmented(data, {{{"@type", "Flip"}}}));
  Index flipped = 0;
  for (Index i = 0; i < 20; ++i) flipped += some.value(12 * i) != plain.value(12 * i) ? 1 : 0;
  CHECK(flipped > 3);
  CHECK(flipped < 17);
}

TEST_CASE("Pad and RandomCrop go together, with the shapes in between") {
  const auto it =
      augmented(images(30), {{{"@type", "Pad"}, {"size_dict", {{"default", 2}}}, {"value_dict", {{"default", 255}}}},
                             {{"@type", "RandomCrop"}, {"shape_dict", {{"default", {5, 6}}}}}});
  CHECK(it->fields()[0].features == Shape{5, 6, 1});
  const auto got = first(*it);
  CHECK(got.shape() == Shape{1, 30, 5, 6, 1});
  CHECK(got.dtype() == DType::U8);
  std::set<Index> corners;  // how much border each has at its left and upper edge
  for (Index i = 0; i < 30; ++i) {
    Index inside = 0;
    for (Index p = 0; p < 30; ++p) inside += got.value(30 * i + p) != 255 ? 1 : 0;
    CHECK(inside == 12);  // a window of 5 x 6 in 7 x 8 always holds the image of 3 x 4
    for (Index p = 0; p < 30; ++p)
      if (got.value(30 * i + p) != 255) {
        corners.insert(p);
        break;
      }
  }
  CHECK(corners.size() > 4);
  const auto nothing = first(*augmented(images(2), {{{"@type", "Pad"}, {"size_dict", 0}}}));
  CHECK(nothing.doubles() == images(2)->fields[0].second.doubles());
}

TEST_CASE("OneHot and MultiHot encode indices") {
  const auto data = source({{"default", HostArray::of(Shape{3, 2}, std::vector<std::int32_t>{0, 2, 1, 1, 3, 0})},
                            {"targets", HostArray::of(Shape{3, 1}, std::vector<std::int32_t>{2, 0, 1})}});
  const auto it = augmented(data, {{{"@type", "MultiHot"}, {"vocab_size_dict", 4}},
                                   {{"@type", "OneHot"}, {"vocab_size_dict", {{"targets", 3}}}}});
  CHECK(it->fields()[1].features == Shape{3});
  for (Index epoch = 0; epoch < 2; ++epoch) {
    CHECK(first(*it, epoch).doubles() == std::vector<double>{1, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 1});
    CHECK(first(*it, epoch, "targets").doubles() == std::vector<double>{0, 0, 1, 1, 0, 0, 0, 1, 0});
  }
  const auto small = augmented(data, {{{"@type", "MultiHot"}, {"vocab_size_dict", 3}}});
  CHECK(mentions(complaint([&] { first(*small); }), "holds 3, which is no class of 0 to 2"));
}

TEST_CASE("Changes that do not fit are refused, naming what would") {
  const auto refuse = [](const json& j) { return complaint([&] { augmented(images(2), {j}); }); };
  CHECK(mentions(refuse({{"@type", "Flip"}, {"prob_dict", {{"defualt", 0.5}}}}), "did you mean 'default'"));
  CHECK(mentions(refuse({{"@type", "Flip"}, {"prob_dict", {{"targets", 0.5}}}}), "images"));
  CHECK(mentions(refuse({{"@type", "Flip"}, {"prob_dict", 1.5}}), "between 0 and 1"));
  CHECK(mentions(refuse({{"@type", "RandomCrop"}, {"shape_dict", {4, 4}}}), "4 x 4 does not fit"));
  CHECK(mentions(refuse({{"@type", "OneHot"}, {"vocab_size_dict", {{"targets", "ten"}}}}), "a whole number"));
  CHECK(mentions(refuse({{"@type", "Pad"}, {"size_dict", {{"default", 1}}}, {"value_dict", {{"targets", 1}}}}),
                 "value_dict"));
}
