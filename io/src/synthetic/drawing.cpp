#include "synthetic/drawing.hpp"

#include <algorithm>
#include <cmath>

namespace squall::synthetic {

double sine_of_turns(double turns) {
  constexpr double kTwoPi = 6.283185307179586;
  double t = turns - std::floor(turns);  // 0 .. 1
  if (t > 0.75) {
    t -= 1;
  } else if (t > 0.25) {
    t = 0.5 - t;
  }
  const double x = t * kTwoPi;  // -pi/2 .. pi/2: Taylor's series
  const double s = x * x;
  double sum = 1;
  for (double n = 16; n >= 2; n -= 2) sum = 1 - s / (n * (n + 1)) * sum;
  return x * sum;
}

double cheap_normal(Rng& rng) {
  const std::uint32_t word = rng.next();
  const double sum = (word & 255U) + ((word >> 8) & 255U) + ((word >> 16) & 255U) + (word >> 24);
  return (sum - 510) / 147.8;
}

Affine affine(double turns, double scale_x, double scale_y, double shear, Point shift) {
  const double s = sine_of_turns(turns);
  const double c = cosine_of_turns(turns);
  return {c * scale_x, (c * shear - s) * scale_y, s * scale_x, (s * shear + c) * scale_y, shift};
}

void Canvas::line(Point from, Point to, double thickness, double brightness) {
  const double reach = thickness / 2 + 1;
  const auto lowest = [&](double a, double b) {
    return static_cast<int>(std::clamp(std::floor(std::min(a, b) - reach), 0.0, double{kSide - 1}));
  };
  const auto highest = [&](double a, double b) {
    return static_cast<int>(std::clamp(std::ceil(std::max(a, b) + reach), 0.0, double{kSide - 1}));
  };
  const double dx = to.x - from.x;
  const double dy = to.y - from.y;
  const double length2 = dx * dx + dy * dy;
  for (int y = lowest(from.y, to.y); y <= highest(from.y, to.y); ++y)
    for (int x = lowest(from.x, to.x); x <= highest(from.x, to.x); ++x) {
      const double px = x - from.x;
      const double py = y - from.y;
      const double along = length2 > 0 ? std::clamp((px * dx + py * dy) / length2, 0.0, 1.0) : 0.0;
      const double ex = px - along * dx;
      const double ey = py - along * dy;
      const double distance = std::sqrt(ex * ex + ey * ey);
      at(x, y) = std::max(at(x, y), brightness * std::clamp(thickness / 2 + 0.5 - distance, 0.0, 1.0));
    }
}

void Canvas::path(std::span<const Point> points, bool smooth, double thickness, double brightness) {
  constexpr int kPieces = 5;
  const std::size_t last = points.size() - 1;
  for (std::size_t i = 0; i < last; ++i) {
    if (!smooth) {
      line(points[i], points[i + 1], thickness, brightness);
      continue;
    }
    const Point p0 = points[i == 0 ? 0 : i - 1];
    const Point p1 = points[i];
    const Point p2 = points[i + 1];
    const Point p3 = points[std::min(i + 2, last)];
    Point before = p1;
    for (int piece = 1; piece <= kPieces; ++piece) {
      const double t = static_cast<double>(piece) / kPieces;
      const auto curve = [t](double a, double b, double c, double d) {
        return b + 0.5 * t * ((c - a) + t * ((2 * a - 5 * b + 4 * c - d) + t * (3 * (b - c) + d - a)));
      };
      const Point now{curve(p0.x, p1.x, p2.x, p3.x), curve(p0.y, p1.y, p2.y, p3.y)};
      line(before, now, thickness, brightness);
      before = now;
    }
  }
}

void Canvas::add_noise(Rng& rng, double deviation) {
  for (double& pixel : pixels_) pixel += deviation * cheap_normal(rng);
}

void Canvas::write(std::span<std::uint8_t> bytes) const {
  for (std::size_t i = 0; i < pixels_.size(); ++i)
    bytes[i] = static_cast<std::uint8_t>(std::floor(std::clamp(pixels_[i], 0.0, 1.0) * 255 + 0.5));
}

}  // namespace squall::synthetic
