#include "squall/io/synthetic.hpp"

#include <array>
#include <cmath>

#include "io/io_support.hpp"
#include "squall/io/crc32c.hpp"
#include "squall/io/reader.hpp"
#include "squall/io/readers.hpp"

using namespace squall;
using namespace squall::testing;
using Catch::Matchers::Contains;

namespace {

std::uint32_t fingerprint(const Split& split) {
  const auto bytes = [](const HostArray& a) { return ByteView(static_cast<const std::byte*>(a.data()), a.bytes()); };
  return crc32c(bytes(split.at("targets")), crc32c(bytes(split.at("default"))));
}

// Softmax regression by plain stochastic gradient descent; its accuracy on the test examples.
double linear_accuracy(const Split& train, const Split& test, int epochs) {
  constexpr std::size_t kPixels = 784, kClasses = 10;
  const auto pixels = train.at("default").span<std::uint8_t>();
  const auto labels = train.at("targets").span<std::int32_t>();
  std::vector<float> weights(kClasses * (kPixels + 1), 0.0F);
  const auto scores = [&](const std::uint8_t* image) {
    std::array<double, kClasses> out{};
    for (std::size_t c = 0; c < kClasses; ++c) {
      const float* w = weights.data() + c * (kPixels + 1);
      float sum = w[kPixels];
      for (std::size_t i = 0; i < kPixels; ++i) sum += w[i] * static_cast<float>(image[i]) / 255.0F;
      out[c] = static_cast<double>(sum);
    }
    return out;
  };
  for (int epoch = 0; epoch < epochs; ++epoch)
    for (std::size_t n = 0; n < labels.size(); ++n) {
      const std::uint8_t* image = pixels.data() + n * kPixels;
      std::array<double, kClasses> p = scores(image);
      const double largest = *std::max_element(p.begin(), p.end());
      double sum = 0;
      for (double& one : p) sum += one = std::exp(one - largest);
      for (std::size_t c = 0; c < kClasses; ++c) {
        const double error = p[c] / sum - (static_cast<std::size_t>(labels[n]) == c ? 1 : 0);
        const auto step = static_cast<float>(0.01 * error);
        float* w = weights.data() + c * (kPixels + 1);
        for (std::size_t i = 0; i < kPixels; ++i) w[i] -= step * static_cast<float>(image[i]) / 255.0F;
        w[kPixels] -= step;
      }
    }
  const auto test_labels = test.at("targets").span<std::int32_t>();
  std::size_t right = 0;
  for (std::size_t n = 0; n < test_labels.size(); ++n) {
    const auto p = scores(test.at("default").span<std::uint8_t>().data() + n * kPixels);
    right += static_cast<std::size_t>(std::max_element(p.begin(), p.end()) - p.begin()) ==
             static_cast<std::size_t>(test_labels[n]);
  }
  return static_cast<double>(right) / static_cast<double>(test_labels.size());
}

}  // namespace

TEST_CASE("drawn data is the same bytes everywhere") {
  const std::pair<const char*, std::uint32_t> expected[] = {
      {"strokes", 0x951237ff}, {"textures", 0xed6a9a72}, {"spirals", 0xb653e55b}, {"spirals3", 0x14e93af2},
      {"xor", 0x8db3af91},     {"sine", 0x372b179e},     {"shapes", 0x77c2b7a3}};
  for (const auto& [set, value] : expected) {
    INFO(set << " has fingerprint " << std::hex << fingerprint(draw_synthetic(set, "train", 200, 1)));
    CHECK(fingerprint(draw_synthetic(set, "train", 200, 1)) == value);
  }
}

TEST_CASE("fewer examples are the first of more, seeds and splits differ") {
  for (const SyntheticSet& set : synthetic_sets()) {
    const Split many = draw_synthetic(set.name, "train", 30, 5);
    const Split few = draw_synthetic(set.name, "train", 10, 5);
    CHECK(many.at("default").view().slice(0, 10).shape() == few.at("default").shape());
    CHECK(HostArray::copy_of(many.at("default").view().slice(0, 10)) == few.at("default"));
    CHECK(HostArray::copy_of(many.at("targets").view().slice(0, 10)) == few.at("targets"));
    CHECK_FALSE(draw_synthetic(set.name, "test", 10, 5).at("default") == few.at("default"));
    CHECK_FALSE(draw_synthetic(set.name, "train", 10, 6).at("default") == few.at("default"));
    if (set.classes == 0 || set.by_pixel) continue;
    for (Index i = 0; i < 10; ++i)
      CHECK(static_cast<double>(synthetic_label(set.name, "train", i, 5)) == few.at("targets").value(i));
  }
}

TEST_CASE("all classes occur about equally often, and images use their range") {
  for (const SyntheticSet& set : synthetic_sets()) {
    if (set.classes == 0 || set.by_pixel) continue;
    const Split split = draw_synthetic(set.name, "train", 1000, 1);
    std::vector<int> count(static_cast<std::size_t>(set.classes));
    for (const std::int32_t label : split.at("targets").span<std::int32_t>())
      ++count.at(static_cast<std::size_t>(label));
    const double mean = 1000.0 / static_cast<double>(set.classes);
    for (const int n : count) CHECK(n > mean - 4 * std::sqrt(mean));  // four deviations of a fair draw
    if (set.dtype != DType::U8) continue;
    const auto pixels = split.at("default").span<std::uint8_t>();
    CHECK(*std::max_element(pixels.begin(), pixels.end()) > 240);
    CHECK(*std::min_element(pixels.begin(), pixels.end()) < 15);
  }
}

TEST_CASE("the image sets are too hard for a linear classifier but not noise") {
  for (const char* set : {"strokes", "textures"}) {
    const double accuracy =
        linear_accuracy(draw_synthetic(set, "train", 1500, 1), draw_synthetic(set, "test", 500, 1), 4);
    CAPTURE(set, accuracy);
    CHECK(accuracy < 0.88);
    CHECK(accuracy > 0.15);
  }
}

TEST_CASE("the points are where they should be") {
  const Split sine = draw_synthetic("sine", "train", 500, 1);
  double worst = 0;
  for (Index i = 0; i < 500; ++i)
    worst = std::max(worst,
                     std::abs(sine.at("targets").value(i) - std::sin(6.283185307179586 * sine.at("default").value(i))));
  CHECK(worst < 0.25);
  CHECK(worst > 0.01);
  const Split corners = draw_synthetic("xor", "train", 500, 1);
  for (Index i = 0; i < 500; ++i) {
    const bool first = corners.at("default").value(2 * i) > 0.5;
    const bool second = corners.at("default").value(2 * i + 1) > 0.5;
    REQUIRE((first != second) == (corners.at("targets").value(i) == 1));
  }
}

TEST_CASE("pixels of shapes are darker or brighter than what is behind them and most show nothing") {
  const Split split = draw_synthetic("shapes", "train", 300, 1);
  REQUIRE(split.at("targets").shape() == Shape{300, 32, 32, 1});
  const auto pixels = split.at("default").span<std::uint8_t>();
  const auto kinds = split.at("targets").span<std::int32_t>();
  std::array<int, 4> count{};
  double inside = 0, outside = 0;
  for (std::size_t first = 0; first < pixels.size(); first += 1024) {
    double behind = 0;
    int seen = 0;
    for (std::size_t i = first; i < first + 1024; ++i) {
      ++count.at(static_cast<std::size_t>(kinds[i]));
      if (kinds[i] == 0) behind += pixels[i], ++seen;
    }
    behind /= seen;
    for (std::size_t i = first; i < first + 1024; ++i)
      (kinds[i] == 0 ? outside : inside) += std::abs(pixels[i] - behind);
  }
  const int all = count[0] + count[1] + count[2] + count[3];
  CHECK(count[0] > 0.55 * all);
  CHECK(count[0] < 0.8 * all);
  for (int kind = 1; kind < 4; ++kind) CHECK(count.at(static_cast<std::size_t>(kind)) > 0.05 * all);
  CHECK(inside / (all - count[0]) > 50);
  CHECK(outside / count[0] < 20);
}

TEST_CASE("the Synthetic reader draws what is asked for") {
  Catalog catalog;
  register_readers(catalog);
  const auto load = [&](const char* text) {
    return catalog.of<Reader>().make(parse_json(text, "test"), "data.x", catalog)->load(".");
  };
  const DataSet set =
      load(R"({"@type": "Synthetic", "set": "textures", "examples": 50, "test_examples": 20, "scale": 255})");
  CHECK(set.array("train", "default").shape() == Shape{50, 28, 28, 1});
  CHECK(set.array("train", "default").dtype() == DType::F32);
  CHECK(set.examples("test") == 20);
  CHECK(set.classes == 10);
  const DataSet shapes =
      load(R"({"@type": "Synthetic", "set": "shapes", "examples": 9, "scale": 255, "validation": 0.3})");
  CHECK(shapes.array("validation", "targets").shape() == Shape{3, 32, 32, 1});
  CHECK(shapes.classes == 4);
  CHECK_THAT(message_of<ConfigError>([&] { load(R"({"@type": "Synthetic", "set": "shapes", "classes": [1]})"); }),
             Contains("'classes' does not apply to 'shapes'"));
  const DataSet some = load(R"({"@type": "Synthetic", "classes": [7, 2], "examples": 30, "test_examples": 50})");
  CHECK(some.examples("train") == 30);
  CHECK(some.classes == 2);
  CHECK_THAT(message_of<ConfigError>([&] { load(R"({"@type": "Synthetic", "classes": [10], "examples": 30})"); }),
             Contains("class 10") && Contains("0 to 9"));
  CHECK_THAT(message_of<ConfigError>([] { draw_synthetic("stroks", "train", 1, 1); }),
             Contains("did you mean 'strokes'"));
}
