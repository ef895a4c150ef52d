// Ten kinds of patterns that fill the image, of varying direction, period, phase and contrast.
#include <algorithm>
#include <array>
#include <cmath>

#include "synthetic/drawing.hpp"

namespace squall::synthetic {

namespace {

struct Pattern {
  double direction, period, phase_x, phase_y;  // period in pixels
  std::array<Point, 6> spots;

  Point turned(double x, double y) const {
    const double s = sine_of_turns(direction);
    const double c = cosine_of_turns(direction);
    return {(c * x + s * y) / period + phase_x, (c * y - s * x) / period + phase_y};
  }
  double spot(double x, double y, double radius) const {  // brightness near the nearest spot
    double nearest = 1e9;
    for (const Point& p : spots) nearest = std::min(nearest, (x - p.x) * (x - p.x) + (y - p.y) * (y - p.y));
    return 1 - 2 * std::min(nearest / (radius * radius), 1.0);
  }
};

double square(double turns) { return sine_of_turns(turns) > 0 ? 1 : -1; }
double thin(double turns) { return sine_of_turns(turns) > 0.75 ? 1 : -1; }

// -1 .. 1 at a pixel.
double value(Index label, const Pattern& p, double x, double y) {
  const Point t = p.turned(x, y);
  switch (label) {
    case 0:
    case 1:
    case 2:
    case 3: return sine_of_turns(t.x);              // stripes in four directions
    case 4: return square(t.x) * square(t.y);       // checks
    case 5: return std::max(thin(t.x), thin(t.y));  // a grid
    case 6: {                                       // rings
      const double dx = x - p.spots[0].x;
      const double dy = y - p.spots[0].y;
      return sine_of_turns(std::sqrt(dx * dx + dy * dy) / p.period + p.phase_x);
    }
    case 7: return p.spot(x, y, 5);                                                       // blobs
    case 8: return sine_of_turns(t.x + 0.35 * sine_of_turns(t.y / 2));                    // waves
    default: return std::max(sine_of_turns(t.x) * sine_of_turns(t.y), -0.2) * 1.6 - 0.6;  // dots
  }
}

}  // namespace

void draw_textures(Rng& rng, Index label, std::span<std::uint8_t> out) {
  constexpr std::array<double, 10> kDirection{0, 0.125, 0.25, 0.375, 0.125, 0, 0, 0, 0.125, 0};
  Pattern p{};
  p.direction = kDirection[static_cast<std::size_t>(label)] + rng.uniform(-0.04, 0.04);
  p.period = rng.uniform(6.5, 9);
  p.phase_x = rng.uniform(0, 1);
  p.phase_y = rng.uniform(0, 1);
  for (Point& spot : p.spots) spot = {rng.uniform(2, kSide - 2), rng.uniform(2, kSide - 2)};
  p.spots[0] = label == 6 ? Point{rng.uniform(9, 19), rng.uniform(9, 19)} : p.spots[0];
  const double contrast = rng.uniform(0.18, 0.4);
  const double middle = rng.uniform(0.4, 0.6);
  Canvas canvas;
  for (int y = 0; y < kSide; ++y)
    for (int x = 0; x < kSide; ++x) canvas.at(x, y) = middle + contrast * value(label, p, x, y);
  canvas.add_noise(rng, 0.1);
  canvas.write(out);
}

}  // namespace squall::synthetic
