// Drawing of small grey images with IEEE arithmetic only (no libm), so that every machine gets the same bytes.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "squall/core/random.hpp"

namespace squall::synthetic {

inline constexpr int kSide = 28;

struct Point {
  double x = 0, y = 0;
};

// sin and cos of an angle in turns, to about 1e-9.
double sine_of_turns(double turns);
inline double cosine_of_turns(double turns) { return sine_of_turns(turns + 0.25); }
// About normal, mean 0 and standard deviation 1: the sum of the four bytes of one random word.
double cheap_normal(Rng& rng);

// Linear part and shift of a random deformation.
struct Affine {
  double xx = 1, xy = 0, yx = 0, yy = 1;
  Point shift;
  Point operator()(Point p) const { return {xx * p.x + xy * p.y + shift.x, yx * p.x + yy * p.y + shift.y}; }
};
// Turned by `turns`, scaled, sheared, then shifted.
Affine affine(double turns, double scale_x, double scale_y, double shear, Point shift);

class Canvas {
 public:
  double& at(int x, int y) { return pixels_[static_cast<std::size_t>(y) * kSide + static_cast<std::size_t>(x)]; }
  // A line with round ends, soft at its border; the brighter of old and new stays.
  void line(Point from, Point to, double thickness, double brightness);
  // Lines through the points; `smooth`: a curve through them (Catmull-Rom).
  void path(std::span<const Point> points, bool smooth, double thickness, double brightness);
  void add_noise(Rng& rng, double deviation);
  void write(std::span<std::uint8_t> bytes) const;  // clamped to 0..1, as 0..255

 private:
  std::array<double, kSide * kSide> pixels_{};
};

// One image of a class, or one point; `out` has the set's number of features.
void draw_strokes(Rng& rng, Index label, std::span<std::uint8_t> out);
void draw_textures(Rng& rng, Index label, std::span<std::uint8_t> out);
void draw_spirals(Rng& rng, Index label, Index arms, std::span<float> out);
void draw_xor(Rng& rng, Index label, std::span<float> out);
float draw_sine(Rng& rng, std::span<float> out);  // returns the target

// Stand-ins for sets that cannot be had, of their shapes.
float draw_house(Rng& rng, std::span<float> out);  // returns its price, 0 to 1
// Words of a text about a topic, 0 to `vocabulary` - 1; 0 fills up.
void draw_text(Rng& rng, Index topic, Index vocabulary, std::span<std::int32_t> out);
struct Face {
  Index age = 0, gender = 0, ethnicity = 0;  // of 10, 2, 5
};
Face draw_face_labels(Rng& rng);
void draw_face(Rng& rng, const Face& face, Index side, std::span<std::uint8_t> out);
void draw_object(Rng& rng, Index label, Index side, std::span<std::uint8_t> out);  // of 10
// A grey image of shapes, and of each pixel what it shows: 0 nothing, 1 disc, 2 square, 3 triangle.
void draw_shapes(Rng& rng, Index side, std::span<std::uint8_t> pixels, std::span<std::int32_t> kinds);

}  // namespace squall::synthetic
