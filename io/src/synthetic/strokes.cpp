// Ten glyphs that look like handwritten digits: bent, turned, slanted, of varying thickness, with clutter and noise.
#include <vector>

#include "synthetic/drawing.hpp"

namespace squall::synthetic {

namespace {

struct Stroke {
  bool smooth;
  std::vector<Point> points;
};
using Glyph = std::vector<Stroke>;

// In a unit square, y downwards.
const std::vector<Glyph>& glyphs() {
  static const std::vector<Glyph> kGlyphs{
      {{true, {{.5, .05}, {.85, .3}, {.85, .7}, {.5, .95}, {.15, .7}, {.15, .3}, {.5, .05}}}},
      {{false, {{.3, .25}, {.55, .05}, {.55, .95}}}},
      {{true, {{.15, .3}, {.3, .08}, {.65, .08}, {.8, .3}, {.6, .58}, {.15, .95}}}, {false, {{.15, .95}, {.85, .95}}}},
      {{true, {{.18, .15}, {.5, .04}, {.8, .22}, {.68, .42}, {.42, .48}}},
       {true, {{.42, .48}, {.75, .56}, {.85, .75}, {.55, .96}, {.15, .85}}}},
      {{false, {{.65, .95}, {.65, .05}, {.12, .65}, {.9, .65}}}},
      {{false, {{.8, .06}, {.25, .06}, {.22, .45}}},
       {true, {{.22, .45}, {.55, .38}, {.85, .62}, {.65, .92}, {.15, .9}}}},
      {{true, {{.75, .08}, {.4, .2}, {.18, .6}, {.35, .93}, {.7, .9}, {.8, .65}, {.55, .5}, {.22, .65}}}},
      {{false, {{.12, .06}, {.85, .06}, {.4, .95}}}},
      {{true,
        {{.5, .05},
         {.78, .2},
         {.6, .42},
         {.25, .65},
         {.25, .88},
         {.5, .96},
         {.78, .88},
         {.75, .65},
         {.4, .42},
         {.22, .2},
         {.5, .05}}}},
      {{true, {{.78, .35}, {.5, .5}, {.2, .35}, {.3, .1}, {.65, .06}, {.8, .3}, {.72, .7}, {.55, .95}}}}};
  return kGlyphs;
}

}  // namespace

void draw_strokes(Rng& rng, Index label, std::span<std::uint8_t> out) {
  constexpr double kSize = 18, kCentre = (kSide - 1) / 2.0;
  Canvas canvas;
  const double turns = rng.uniform(-0.06, 0.06);
  const double scale_x = kSize * rng.uniform(0.65, 1.1);
  const double scale_y = kSize * rng.uniform(0.75, 1.15);
  const double shear = rng.uniform(-0.3, 0.3);
  const double shift_x = rng.uniform(-2, 2);
  const double shift_y = rng.uniform(-2, 2);
  const Affine place = affine(turns, scale_x, scale_y, shear, {kCentre + shift_x, kCentre + shift_y});
  const double thickness = rng.uniform(1.3, 3.4);
  const double brightness = rng.uniform(0.6, 1);
  for (const Stroke& stroke : glyphs()[static_cast<std::size_t>(label)]) {
    std::vector<Point> points = stroke.points;
    for (Point& p : points) {
      p.x += rng.uniform(-0.06, 0.06) - 0.5;
      p.y += rng.uniform(-0.06, 0.06) - 0.5;
      p = place(p);
    }
    canvas.path(points, stroke.smooth, thickness, brightness);
  }
  for (int i = 0; i < 2; ++i) {  // clutter
    const Point from{rng.uniform(0, kSide), rng.uniform(0, kSide)};
    const Point to{from.x + rng.uniform(-5, 5), from.y + rng.uniform(-5, 5)};
    const double clutter_thickness = rng.uniform(1, 2.5);
    canvas.line(from, to, clutter_thickness, rng.uniform(0.3, 0.9));
  }
  canvas.add_noise(rng, 0.1);
  canvas.write(out);
}

}  // namespace squall::synthetic
