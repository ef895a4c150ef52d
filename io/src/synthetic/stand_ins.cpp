// Sets of the shapes of well-known ones that cannot be shipped: houses, texts by topic, faces, objects.
#include <algorithm>
#include <cmath>

#include "synthetic/drawing.hpp"

namespace squall::synthetic {

namespace {

struct Colour {
  double r = 0, g = 0, b = 0;
};

std::uint8_t byte_of(double v) { return static_cast<std::uint8_t>(std::lround(std::clamp(v, 0.0, 1.0) * 255)); }

// Squared distance from the middle of an ellipse, 1 at its border.
double ellipse(Point p, Point middle, double half_width, double half_height) {
  const double x = (p.x - middle.x) / half_width;
  const double y = (p.y - middle.y) / half_height;
  return x * x + y * y;
}

// Calls `colour_at` with coordinates from -1 to 1.
template <class F>
void paint(Rng& rng, Index side, std::span<std::uint8_t> out, const F& colour_at) {
  std::size_t i = 0;
  for (Index row = 0; row < side; ++row)
    for (Index column = 0; column < side; ++column) {
      const auto place = [&](Index k) { return 2 * (static_cast<double>(k) + 0.5) / static_cast<double>(side) - 1; };
      const Colour c = colour_at(Point{place(column), place(row)});
      const double noise = 0.04 * (rng.uniform(0, 1) - 0.5);
      for (const double v : {c.r, c.g, c.b}) out[i++] = byte_of(v + noise);
    }
}

}  // namespace

// The price rises with rooms and falls with distance and poverty, and not in a straight line.
float draw_house(Rng& rng, std::span<float> out) {
  for (float& v : out) v = static_cast<float>(rng.uniform(0, 1));
  const auto x = [&](std::size_t i) { return static_cast<double>(out[i]); };
  const double price = 0.15 + 0.45 * x(5) * x(5) + 0.25 * (1 - x(12)) * (1 - x(12)) - 0.1 * x(0) * x(7) +
                       0.08 * sine_of_turns(x(10)) + 0.02 * cheap_normal(rng);
  return static_cast<float>(std::clamp(price, 0.0, 1.0));
}

// Common words first; every fifth word is one of the topic's own.
void draw_text(Rng& rng, Index topic, Index vocabulary, std::span<std::int32_t> out) {
  constexpr Index kOwn = 40;
  const Index first = vocabulary / 4;
  const auto size = static_cast<Index>(out.size());
  const Index length = size / 2 + rng.below(size / 2) + 1;
  for (Index i = 0; i < size; ++i) {
    const double u = rng.uniform(0, 1);
    Index word = 1 + static_cast<Index>(u * u * u * static_cast<double>(vocabulary - 2));
    if (rng.below(5) == 0) word = first + (topic * kOwn + rng.below(kOwn)) % (vocabulary - first);
    out[static_cast<std::size_t>(i)] = i < length ? static_cast<std::int32_t>(word) : 0;
  }
}

Face draw_face_labels(Rng& rng) { return {rng.below(10), rng.below(2), rng.below(5)}; }

void draw_face(Rng& rng, const Face& face, Index side, std::span<std::uint8_t> out) {
  static constexpr std::array<Colour, 5> kSkins{
      {{0.95, 0.80, 0.70}, {0.35, 0.24, 0.18}, {0.90, 0.75, 0.50}, {0.62, 0.44, 0.30}, {0.78, 0.60, 0.48}}};
  const Colour skin = kSkins[static_cast<std::size_t>(face.ethnicity)];
  const double age = static_cast<double>(face.age) / 9;
  const Point middle{rng.uniform(-0.15, 0.15), rng.uniform(-0.1, 0.15)};
  const double width = 0.45 + 0.1 * age + rng.uniform(-0.04, 0.04);
  const double height = 0.5 + 0.2 * age + rng.uniform(-0.04, 0.04);
  const double hair = face.gender == 0 ? 0.12 : 0.35;  // how far it reaches
  const double grey = 0.15 + 0.6 * age;
  const Colour back{rng.uniform(0, 1), rng.uniform(0, 1), rng.uniform(0, 1)};
  paint(rng, side, out, [&](Point p) {
    const Point left{middle.x - width / 2.5, middle.y - 0.1};
    const Point right{middle.x + width / 2.5, middle.y - 0.1};
    if (ellipse(p, left, 0.07, 0.05) < 1 || ellipse(p, right, 0.07, 0.05) < 1) return Colour{0.1, 0.1, 0.15};
    if (ellipse(p, {middle.x, middle.y + height / 2}, 0.18, 0.04) < 1) return Colour{0.7, 0.25, 0.25};
    const bool wrinkle = age > 0.4 && sine_of_turns(14 * p.y) > 1.6 - age && p.y < middle.y - 0.2;
    if (ellipse(p, middle, width, height) < 1 && p.y > middle.y - 0.75 * height)
      return wrinkle ? Colour{skin.r * 0.8, skin.g * 0.8, skin.b * 0.8} : skin;
    if (ellipse(p, {middle.x, middle.y - 0.15 + hair / 2}, width + 0.1, height + hair) < 1)
      return Colour{grey, grey * 0.9, grey * 0.8};
    return back;
  });
}

// Ten shapes and stripes, in colours of their own that vary.
void draw_object(Rng& rng, Index label, Index side, std::span<std::uint8_t> out) {
  const auto kind = static_cast<double>(label);
  const Point middle{rng.uniform(-0.3, 0.3), rng.uniform(-0.3, 0.3)};
  const double size = rng.uniform(0.35, 0.7);
  const double stripes = 1 + static_cast<double>(label % 5) * 1.5;
  const Colour one{rng.uniform(0, 1), rng.uniform(0, 1), rng.uniform(0, 1)};
  const Colour two{rng.uniform(0, 1), rng.uniform(0, 1), rng.uniform(0, 1)};
  paint(rng, side, out, [&](Point p) {
    const double x = (p.x - middle.x) / size;
    const double y = (p.y - middle.y) / size;
    const bool round = label % 2 == 0;
    const bool inside = round ? x * x + y * y < 1 : std::max(x < 0 ? -x : x, y < 0 ? -y : y) < 0.8;
    const double wave = sine_of_turns(stripes * (label < 5 ? x : y) + kind / 10);
    if (inside) return wave > 0 ? one : Colour{1 - one.r, 1 - one.g, one.b};
    return Colour{two.r * 0.6, two.g * 0.6, two.b * 0.6};
  });
}

}  // namespace squall::synthetic
