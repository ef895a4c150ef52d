// Small problems of points: spirals that wind around each other, exclusive or, and a sine to be fitted.
#include "synthetic/drawing.hpp"

namespace squall::synthetic {

void draw_spirals(Rng& rng, Index label, Index arms, std::span<float> out) {
  constexpr double kTurns = 1.5, kNoise = 0.02;
  const double along = rng.uniform(0.05, 1);
  const double angle = kTurns * along + static_cast<double>(label) / static_cast<double>(arms);
  out[0] = static_cast<float>(along * cosine_of_turns(angle) + kNoise * cheap_normal(rng));
  out[1] = static_cast<float>(along * sine_of_turns(angle) + kNoise * cheap_normal(rng));
}

void draw_xor(Rng& rng, Index label, std::span<float> out) {
  constexpr double kNoise = 0.1;
  const Index first = rng.below(2);
  const Index second = first ^ label;
  out[0] = static_cast<float>(static_cast<double>(first) + kNoise * cheap_normal(rng));
  out[1] = static_cast<float>(static_cast<double>(second) + kNoise * cheap_normal(rng));
}

float draw_sine(Rng& rng, std::span<float> out) {
  constexpr double kNoise = 0.05;
  const double x = rng.uniform(-1, 1);
  out[0] = static_cast<float>(x);
  return static_cast<float>(sine_of_turns(x) + kNoise * cheap_normal(rng));
}

}  // namespace squall::synthetic
