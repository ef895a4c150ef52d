#include "squall/io/synthetic.hpp"

#include <array>
#include <string>

#include "squall/core/nearest.hpp"
#include "synthetic/drawing.hpp"

namespace squall {

namespace {

using synthetic::kSide;

constexpr Index kPixels = Index{kSide} * kSide;
constexpr std::array<SyntheticSet, 6> kSets{{
    {"strokes", "grey images (28, 28, 1) of ten glyphs like handwritten digits", 10, DType::U8, kPixels},
    {"textures", "grey images (28, 28, 1) of ten kinds of patterns", 10, DType::U8, kPixels},
    {"spirals", "points of two spirals that wind around each other", 2, DType::F32, 2},
    {"spirals3", "points of three spirals that wind around each other", 3, DType::F32, 2},
    {"xor", "points around the corners of a square; opposite corners are one class", 2, DType::F32, 2},
    {"sine", "one period of a sine with noise, to be fitted", 0, DType::F32, 1},
}};

Rng stream_of(std::string_view set, std::string_view split, Index index, std::uint64_t seed) {
  return {seed, concat("synthetic/", set, "/", split, "/", index)};
}
Index first_draw(const SyntheticSet& set, Rng& rng) { return set.classes == 0 ? 0 : rng.below(set.classes); }

void draw_point(const SyntheticSet& set, Rng& rng, Index label, std::span<float> out, float& value) {
  if (set.name == "xor") {
    synthetic::draw_xor(rng, label, out);
  } else if (set.name == "sine") {
    value = synthetic::draw_sine(rng, out);
  } else {
    synthetic::draw_spirals(rng, label, set.classes, out);
  }
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
  const bool image = set.dtype == DType::U8;
  HostArray inputs(set.dtype, image ? Shape{examples, kSide, kSide, 1} : Shape{examples, set.features});
  HostArray targets(set.classes > 0 ? DType::I32 : DType::F32, {examples, 1});
  const auto width = static_cast<std::size_t>(set.features);
  for (Index i = 0; i < examples; ++i) {
    const auto at = static_cast<std::size_t>(i) * width;
    Rng rng = stream_of(name, split, i, seed);
    const Index label = first_draw(set, rng);
    float value = static_cast<float>(label);
    if (image) {
      const auto pixels = inputs.span<std::uint8_t>().subspan(at, width);
      (set.name == "strokes" ? synthetic::draw_strokes : synthetic::draw_textures)(rng, label, pixels);
    } else {
      draw_point(set, rng, label, inputs.span<float>().subspan(at, width), value);
    }
    targets.set_value(i, static_cast<double>(value));
  }
  return {{"default", std::move(inputs)}, {"targets", std::move(targets)}};
}

}  // namespace squall
