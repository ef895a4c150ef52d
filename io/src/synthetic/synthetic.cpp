#include "squall/io/synthetic.hpp"

#include <array>
#include <string>

#include "squall/core/nearest.hpp"
#include "synthetic/drawing.hpp"

namespace squall {

namespace {

using synthetic::kSide;

constexpr Index kPixels = Index{kSide} * kSide;
constexpr Index kPhotoSide = 256, kPhoto = kPhotoSide * kPhotoSide * 3;
constexpr Index kShapesSide = 32;
constexpr std::array<SyntheticSet, 14> kSets{{
    {"strokes", "grey images (28, 28, 1) of ten glyphs like handwritten digits", 10, DType::U8, kPixels, kSide, 1},
    {"textures", "grey images (28, 28, 1) of ten kinds of patterns", 10, DType::U8, kPixels, kSide, 1},
    {"spirals", "points of two spirals that wind around each other", 2, DType::F32, 2},
    {"spirals3", "points of three spirals that wind around each other", 3, DType::F32, 2},
    {"xor", "points around the corners of a square; opposite corners are one class", 2, DType::F32, 2},
    {"sine", "one period of a sine with noise, to be fitted", 0, DType::F32, 1},
    {"houses", "13 numbers about a house and its price from 0 to 1, to be fitted", 0, DType::F32, 13},
    {"reviews", "128 words of 10000, praise or blame", 2, DType::I32, 128},
    {"newswire", "512 words of 30000 on one of 46 topics", 46, DType::I32, 512},
    {"faces_age", "colour images (256, 256, 3) of faces and their age", 10, DType::U8, kPhoto, kPhotoSide, 3},
    {"faces_gender", "the same faces and their gender", 2, DType::U8, kPhoto, kPhotoSide, 3},
    {"faces_ethnicity", "the same faces and their ethnicity", 5, DType::U8, kPhoto, kPhotoSide, 3},
    {"objects", "colour images (256, 256, 3) of ten kinds of objects", 10, DType::U8, kPhoto, kPhotoSide, 3},
    {"shapes", "grey images (32, 32, 1) of discs, squares and triangles, and for each pixel what it shows", 4,
     DType::U8, kShapesSide* kShapesSide, kShapesSide, 1, true},
}};

bool is_face(std::string_view set) { return set.starts_with("faces"); }

Rng stream_of(std::string_view set, std::string_view split, Index index, std::uint64_t seed) {
  return {seed, concat("synthetic/", is_face(set) ? "faces" : set, "/", split, "/", index)};
}
Index label_of(std::string_view set, const synthetic::Face& face) {
  return set == "faces_age" ? face.age : set == "faces_gender" ? face.gender : face.ethnicity;
}
Index first_draw(const SyntheticSet& set, Rng& rng) {
  if (is_face(set.name)) return label_of(set.name, synthetic::draw_face_labels(rng));
  return set.classes == 0 || set.by_pixel ? 0 : rng.below(set.classes);
}

void draw_image(const SyntheticSet& set, Rng& rng, Index label, std::span<std::uint8_t> pixels) {
  if (set.name == "strokes") return synthetic::draw_strokes(rng, label, pixels);
  if (set.name == "textures") return synthetic::draw_textures(rng, label, pixels);
  synthetic::draw_object(rng, label, set.side, pixels);
}

void draw_point(const SyntheticSet& set, Rng& rng, Index label, std::span<float> out, float& value) {
  if (set.name == "xor") {
    synthetic::draw_xor(rng, label, out);
  } else if (set.name == "sine") {
    value = synthetic::draw_sine(rng, out);
  } else if (set.name == "houses") {
    value = synthetic::draw_house(rng, out);
  } else {
    synthetic::draw_spirals(rng, label, set.classes, out);
  }
}

Split draw_by_pixel(const SyntheticSet& set, std::string_view split, Index examples, std::uint64_t seed) {
  const Shape shape{examples, set.side, set.side, 1};
  HostArray inputs(DType::U8, shape), targets(DType::I32, shape);
  const auto width = static_cast<std::size_t>(set.features);
  for (Index i = 0; i < examples; ++i) {
    const auto at = static_cast<std::size_t>(i) * width;
    Rng rng = stream_of(set.name, split, i, seed);
    synthetic::draw_shapes(rng, set.side, inputs.span<std::uint8_t>().subspan(at, width),
                           targets.span<std::int32_t>().subspan(at, width));
  }
  return {{"default", std::move(inputs)}, {"targets", std::move(targets)}};
}

}  // namespace

std::span<const SyntheticSet> synthetic_sets() { return kSets; }

const SyntheticSet& synthetic_set(std::string_view name) {
  std::vector<std::string> names;
  for (const SyntheticSet& set : kSets) {
    if (set.name == name) return set;
    names.emplace_back(set.name);
  }
  raise<ConfigError>("there is no synthetic set '", name, "'", did_you_mean(name, names), "; there are: ", join(names));
}

Index synthetic_label(std::string_view name, std::string_view split, Index index, std::uint64_t seed) {
  Rng rng = stream_of(name, split, index, seed);
  return first_draw(synthetic_set(name), rng);
}

Split draw_synthetic(std::string_view name, std::string_view split, Index examples, std::uint64_t seed) {
  const SyntheticSet& set = synthetic_set(name);
  SQUALL_CHECK(examples > 0, "at least one example must be drawn, not ", examples);
  if (set.by_pixel) return draw_by_pixel(set, split, examples, seed);
  const bool image = set.dtype == DType::U8;
  HostArray inputs(set.dtype,
                   image ? Shape{examples, set.side, set.side, set.channels} : Shape{examples, set.features});
  HostArray targets(set.classes > 0 ? DType::I32 : DType::F32, {examples, 1});
  const auto width = static_cast<std::size_t>(set.features);
  for (Index i = 0; i < examples; ++i) {
    const auto at = static_cast<std::size_t>(i) * width;
    Rng rng = stream_of(name, split, i, seed);
    const synthetic::Face face = is_face(name) ? synthetic::draw_face_labels(rng) : synthetic::Face{};
    const Index label = is_face(name) ? label_of(name, face) : first_draw(set, rng);
    float value = static_cast<float>(label);
    if (is_face(name)) {
      synthetic::draw_face(rng, face, set.side, inputs.span<std::uint8_t>().subspan(at, width));
    } else if (image) {
      draw_image(set, rng, label, inputs.span<std::uint8_t>().subspan(at, width));
    } else if (set.dtype == DType::I32) {
      const Index vocabulary = set.name == "reviews" ? 10000 : 30000;
      synthetic::draw_text(rng, label, vocabulary, inputs.span<std::int32_t>().subspan(at, width));
    } else {
      draw_point(set, rng, label, inputs.span<float>().subspan(at, width), value);
    }
    targets.set_value(i, static_cast<double>(value));
  }
  return {{"default", std::move(inputs)}, {"targets", std::move(targets)}};
}

}  // namespace squall
