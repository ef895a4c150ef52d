// Discs, squares and triangles that lie over each other, and for each pixel what it shows.
#include <algorithm>
#include <array>

#include "synthetic/drawing.hpp"

namespace squall::synthetic {

namespace {

struct Shape {
  Index kind = 1;  // 1 disc, 2 square, 3 triangle
  Point middle;
  double size = 0, sine = 0, cosine = 1, brightness = 0;

  bool holds(double x, double y) const {
    const double u = (cosine * (x - middle.x) + sine * (y - middle.y)) / size;
    const double v = (cosine * (y - middle.y) - sine * (x - middle.x)) / size;
    if (kind == 1) return u * u + v * v < 1;
    if (kind == 2) return std::max(u < 0 ? -u : u, v < 0 ? -v : v) < 0.9;
    constexpr double kHeight = 1.7320508075688772;  // equal sides
    return v > -0.6 && kHeight * u + v < 1.2 && v - kHeight * u < 1.2;
  }
};

// Darker or brighter than what lies behind, whatever its kind.
Shape draw_shape(Rng& rng, double behind, double side) {
  Shape s;
  s.kind = 1 + rng.below(3);
  s.middle = {rng.uniform(0.15, 0.85) * side, rng.uniform(0.15, 0.85) * side};
  s.size = rng.uniform(0.13, 0.24) * side;
  const double turns = rng.uniform(0, 1);
  s.sine = sine_of_turns(turns);
  s.cosine = cosine_of_turns(turns);
  s.brightness = behind + (rng.below(2) == 0 ? -1 : 1) * rng.uniform(0.2, 0.4);
  return s;
}

}  // namespace

void draw_shapes(Rng& rng, Index side, std::span<std::uint8_t> pixels, std::span<std::int32_t> kinds) {
  const double whole = static_cast<double>(side), behind = rng.uniform(0.4, 0.6);
  std::array<Shape, 4> shapes;
  const auto count = static_cast<std::size_t>(2 + rng.below(3));
  for (std::size_t i = 0; i < count; ++i) shapes[i] = draw_shape(rng, behind, whole);
  const double slope = rng.uniform(-0.1, 0.1);
  std::size_t at = 0;
  for (Index row = 0; row < side; ++row)
    for (Index column = 0; column < side; ++column, ++at) {
      const double x = static_cast<double>(column) + 0.5, y = static_cast<double>(row) + 0.5;
      double value = behind + slope * (x / whole - 0.5);
      kinds[at] = 0;
      for (std::size_t i = 0; i < count; ++i) {
        if (!shapes[i].holds(x, y)) continue;
        value = shapes[i].brightness;
        kinds[at] = static_cast<std::int32_t>(shapes[i].kind);
      }
      value += 0.05 * cheap_normal(rng);
      pixels[at] = static_cast<std::uint8_t>(std::clamp(value, 0.0, 1.0) * 255 + 0.5);
    }
}

}  // namespace squall::synthetic
